#include "classifier.h"

#include <condition_variable>
#include <utility>

namespace gkv {
namespace {

std::vector<Classification> nothing_yet(const std::vector<Model>& models) {
  std::vector<Classification> results;
  results.reserve(models.size());
  for (const Model& model : models) results.push_back({.model = model.target.name, .version = model.target.version});
  return results;
}

}  // namespace

/// Where classify() waits.
class Classifier::Waiting {
 public:
  /// @return a ticket; when the last of its holders lets go, wait() returns
  static Ticket ticket(const std::shared_ptr<Waiting>& self, const std::shared_ptr<bool>& settled) {
    return Ticket(settled.get(), [self, settled](void*) { self->change(*settled, true); });
  }

  /// @return false when interrupted
  bool wait(const bool& settled) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return settled || interrupted_; });
    return !interrupted_;
  }

  void set_interrupted(bool interrupted) { change(interrupted_, interrupted); }

 private:
  void change(bool& flag, bool value) {
    const std::lock_guard lock(mutex_);
    flag = value;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool interrupted_ = false;
};

/// What lives on the classifier's thread.
class Classifier::Worker {
 public:
  Worker(Guarded<Shared>& shared, std::vector<Model> models, std::chrono::milliseconds timeout,
         ClassifierListener listener)
      : shared_(shared), listener_(std::move(listener)), seats_(models.size()) {
    // Handlers refer to the clients: the HttpClient, which ends them, is to be destroyed first.
    for (std::size_t i = 0; i < models.size(); ++i) {
      seats_[i].client = std::make_unique<ModelClient>(std::move(models[i]), http(), timeout);
    }
  }
  ~Worker() {
    // The HttpClient's end runs the main context: a retry that is due would send through it.
    for (Seat& seat : seats_) seat.retry = Timer();
    http_.reset();
  }

  void ask_idle_models() {
    shared_.lock()->woken = false;
    for (std::size_t model = 0; model < seats_.size(); ++model) ask(model);
  }

 private:
  struct Seat {
    std::unique_ptr<ModelClient> client;
    Outage outage;
    Timer retry;
  };

  HttpClient& http() {
    if (!http_) http_ = std::make_unique<HttpClient>(static_cast<unsigned>(seats_.size()));
    return *http_;
  }

  void ask(std::size_t model) {
    std::optional<Frame> frame = take(model);
    if (!frame) return;
    std::shared_ptr<Picture> picture = std::exchange(frame->picture, nullptr);
    seats_[model].client->ask(std::move(picture), [this, model, frame = std::move(*frame)](const Outcome& outcome) {
      if (const auto* result = std::get_if<Classification>(&outcome)) {
        answered(model, frame, *result);
      } else {
        failed(model, std::get<Refusal>(outcome));
      }
    });
  }

  std::optional<Frame> take(std::size_t model) {
    auto shared = shared_.lock();
    ModelState& state = shared->models[model];
    if (state.asked || state.resting) return std::nullopt;
    std::optional<Frame> frame = state.waiting.take();
    state.asked = frame.has_value();
    return frame;
  }

  void answered(std::size_t model, const Frame& frame, const Classification& result) {
    Seat& seat = seats_[model];
    bool current = false;
    {
      auto shared = shared_.lock();
      shared->models[model].asked = false;
      current = shared->epoch == frame.epoch;
      if (current) shared->results->set(frame.source, model, result);
    }
    if (const unsigned failures = seat.outage.answered()) {
      const ModelTarget& target = seat.client->target();
      listener_.on_notice(Failure("Model \"" + target.name + "\" at " + target.url + " answers again.",
                                  std::to_string(failures) + " requests had failed"));
    }
    if (current) listener_.on_result(frame.source, result);
    ask(model);
  }

  void failed(std::size_t model, const Refusal& refusal) {
    Seat& seat = seats_[model];
    const Outage::Report report = seat.outage.failed(refusal.trouble, Outage::Clock::now());
    {
      auto shared = shared_.lock();
      shared->models[model].asked = false;
      shared->models[model].resting = true;
    }
    seat.retry = Timer(seat.outage.delay(), [this, model] {
      shared_.lock()->models[model].resting = false;
      ask(model);
    });
    if (report == Outage::Report::kWarning) listener_.on_outage(refusal.failure);
    if (report == Outage::Report::kNote) listener_.on_notice(refusal.failure);
  }

  Guarded<Shared>& shared_;
  ClassifierListener listener_;
  std::vector<Seat> seats_;
  std::unique_ptr<HttpClient> http_;
};

Classifier::Classifier(std::vector<Model> models, std::chrono::milliseconds timeout, ClassifierListener listener)
    : waiting_(std::make_shared<Waiting>()), loop_(std::make_unique<EventLoop>()) {
  {
    auto shared = shared_.lock();
    shared->models.resize(models.size());
    shared->results.emplace(nothing_yet(models), kMaxSources);
  }
  loop_->run([this, models = std::move(models), timeout, listener = std::move(listener)]() mutable {
    worker_ = std::make_unique<Worker>(shared_, std::move(models), timeout, std::move(listener));
  });
}

Classifier::~Classifier() {
  interrupt();
  loop_->run([this] { worker_.reset(); });
  loop_.reset();
}

/// Leaves the frame with the models, and wakes the thread when one of them is idle.
Results Classifier::enter(Frame frame) {
  // Destroyed after the lock: to let a frame go may run other people's code.
  std::vector<std::optional<Frame>> displaced;
  Results known;
  bool wake = false;
  {
    auto shared = shared_.lock();
    frame.epoch = shared->epoch;
    known = shared->results->seen(frame.source);
    const auto forgotten = shared->results->evict();
    for (ModelState& model : shared->models) {
      if (forgotten) displaced.push_back(model.waiting.forget(*forgotten));
      if (frame.ticket && model.resting) continue;
      displaced.push_back(model.waiting.offer(frame.source, frame));
      wake = wake || (!model.asked && !model.resting);
    }
    wake = wake && !std::exchange(shared->woken, shared->woken || wake);
  }
  if (wake) loop_->run([this] { worker_->ask_idle_models(); });
  return known;
}

Results Classifier::offer(const std::string& source, std::shared_ptr<Picture> picture) {
  return enter({.source = source, .picture = std::move(picture)});
}

Results Classifier::classify(const std::string& source, std::shared_ptr<Picture> picture) {
  const auto settled = std::make_shared<bool>(false);
  enter({.source = source, .picture = std::move(picture), .ticket = Waiting::ticket(waiting_, settled)});
  if (!waiting_->wait(*settled)) return nullptr;
  return shared_.lock()->results->seen(source);
}

void Classifier::interrupt() { waiting_->set_interrupted(true); }

void Classifier::resume() {
  std::vector<LatestFrames<Frame>> forgotten;
  {
    auto shared = shared_.lock();
    ++shared->epoch;
    shared->results->clear();
    for (ModelState& model : shared->models) forgotten.push_back(std::exchange(model.waiting, {}));
  }
  waiting_->set_interrupted(false);
}

}  // namespace gkv
