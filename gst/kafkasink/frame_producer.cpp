#include "frame_producer.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/failure.h"
#include "producer_config.h"

namespace gkv {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kPurgeTimeoutMs = 1000;
constexpr int kPollMs = 1000;  ///< librdkafka's statistics wake the thread as often
constexpr milliseconds kFirstPause(100);
constexpr milliseconds kLongestPause(5000);
constexpr std::chrono::seconds kStall(5);
constexpr std::chrono::seconds kLimitAge(10);
constexpr std::size_t kBatchOverhead = 128;  ///< of a record batch with one record, rounded up

/// Destroying a handle waits for its threads, which may be resolving a name: whoever lets go last shall not.
void bury(kafka::Client* client) {
  std::thread([client] { delete client; }).detach();
}

std::int64_t unix_ms() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

FrameProducer::FrameProducer(Settings settings, kafka::Events events)
    : settings_(std::move(settings)), events_(std::move(events)) {
  state_.lock()->queue = OutgoingQueue(settings_.queue);
  make_client();
}

/// The frames that were with the client before wait again.
void FrameProducer::make_client() {
  kafka::Conf conf = make_conf();
  const std::size_t max_message_bytes = std::stoul(kafka::value_of(conf.get(), "message.max.bytes"));
  const std::size_t buffer_bytes = 1024 * std::stoul(kafka::value_of(conf.get(), "queue.buffering.max.kbytes"));
  const bool compresses = kafka::value_of(conf.get(), "compression.codec") != "none";
  const std::size_t max_under_way = most_under_way(conf.get(), settings_.queue.frames);
  const std::shared_ptr<kafka::Client> client(
      new kafka::Client(RD_KAFKA_PRODUCER, std::move(conf), settings_.topic, client_events(), this, history_), bury);
  kafka::Topic topic(rd_kafka_topic_new(client->handle(), settings_.topic.c_str(), nullptr));
  if (!topic) throw kafka::to_failure(RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, {}, client->peer());
  auto state = state_.lock();
  state->topic = std::move(topic);
  state->client = client;
  state->max_message_bytes = std::min(max_message_bytes, buffer_bytes);
  state->message_limit = buffer_bytes < max_message_bytes ? "queue.buffering.max.kbytes in the property config"
                                                          : "the property max-message-bytes";
  state->compresses = compresses;
  state->max_under_way = max_under_way;
}

kafka::Conf FrameProducer::make_conf() const {
  kafka::Config config = settings_.config;
  add_producer_defaults(config, is_live(), settings_.max_age);
  kafka::Conf conf = kafka::make_conf(config);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), [](rd_kafka_t* handle, const rd_kafka_message_t* report, void*) {
    static_cast<FrameProducer*>(kafka::Client::opaque(handle))->on_report(handle, *report);
  });
  return conf;
}

/// An error is kept: whoever waits is woken, and later callers are told. Who has stopped hears nothing any more.
kafka::Events FrameProducer::client_events() {
  kafka::Events events = events_;
  events.error = [this](const Failure& failure) {
    state_.lock()->failed = true;
    changed_.notify_all();
    if (!stop_) events_.error(failure);
  };
  events.warning = [this](const Failure& failure) {
    if (!stop_) events_.warning(failure);
  };
  events.info = [this](const std::string& text) {
    if (!stop_) events_.info(text);
  };
  events.fatal = [this] { broken_ = true; };
  return events;
}

std::shared_ptr<FrameProducer> FrameProducer::start(Settings settings, kafka::Events events) {
  std::shared_ptr<FrameProducer> self(new FrameProducer(std::move(settings), std::move(events)));
  self->reports_ = std::thread([self] { self->run(); });
  return self;
}

void FrameProducer::stop() {
  std::shared_ptr<kafka::Client> client;
  {
    auto state = state_.lock();
    stop_ = true;
    if (state->connected) client = state->client;
  }
  changed_.notify_all();
  if (!client) {
    // The thread may be inside a call for the topic's metadata, which cannot be cancelled: it ends by itself.
    const auto given_up = state_.lock()->queue.take_waiting();
    reports_.detach();
    return;
  }
  const kafka::Queue main_queue(rd_kafka_queue_get_main(client->handle()));
  rd_kafka_queue_yield(main_queue.get());
  reports_.join();
  give_up_handle();
  const auto given_up = state_.lock()->queue.take_waiting();
}

void FrameProducer::run() {
  bool replaces = false;
  while (!stop_ && connect(replaces)) {
    hand_over_waiting();
    poll_until_broken();
    if (stop_ || !broken_) return;
    give_up_handle();
    pause_before_replacement();
    if (stop_ || state_.lock()->failed) return;
    replaces = true;
    broken_ = false;
    try {
      make_client();
    } catch (const Failure& failure) {  // such as a CA file that has gone
      client_events().error(failure);
      return;
    }
  }
}

/// @param replaces  whether frames went before: then the topic is there, and it is waited for without limit
bool FrameProducer::connect(bool replaces) {
  const auto client = state_.lock()->client;
  WantedTopic wanted{.name = settings_.topic, .partition = settings_.partition};
  if (!replaces) {
    wanted.create = settings_.create_topic;
    wanted.timeout = settings_.connect_timeout;
  }
  if (!wait_until_writable(*client, wanted, stop_)) return false;
  limit_.ask(client->handle(), settings_.topic);
  limit_asked_at_ = steady_clock::now();
  auto state = state_.lock();
  state->connected = !stop_;
  return state->connected;
}

/// What fails again before a frame has arrived is told once and tried more and more rarely.
void FrameProducer::pause_before_replacement() {
  const Counts counts = state_.lock()->counts;
  const bool gets_on = counts.delivered != delivered_before_;
  pause_ = gets_on ? milliseconds(0) : std::clamp(2 * pause_, kFirstPause, kLongestPause);
  const bool topic_was_gone = std::exchange(topic_gone_, false);
  if (gets_on && !topic_was_gone) {
    client_events().warning(Failure("The connection to Kafka lost count of the frames and is made anew; " +
                                        std::to_string(counts.resent - resent_before_) +
                                        " frames are sent again and may be in the topic \"" + settings_.topic +
                                        "\" twice, with the same ce_id.",
                                    "the idempotent producer failed for good"));
  }
  delivered_before_ = counts.delivered;
  resent_before_ = counts.resent;
  auto state = state_.lock();
  state.wait_until(changed_, steady_clock::now() + pause_, [&] { return stop_ || state->failed; });
}

void FrameProducer::poll_until_broken() {
  const auto client = state_.lock()->client;
  auto looked_at = steady_clock::now();
  while (!stop_ && !broken_) {
    rd_kafka_poll(client->handle(), kPollMs);
    hand_over_waiting();  // librdkafka has room for frames whose reports have been served
    const auto now = steady_clock::now();
    if (now - looked_at < milliseconds(kPollMs)) continue;
    looked_at = now;
    look_after(*client);
  }
}

/// What is worth a look once a second.
void FrameProducer::look_after(kafka::Client& client) {
  if (const auto limit = limit_.poll()) state_.lock()->topic_limit = limit;
  if (limit_in_doubt_ && steady_clock::now() - limit_asked_at_ >= kLimitAge) {
    limit_in_doubt_ = false;
    limit_asked_at_ = steady_clock::now();
    limit_.ask(client.handle(), settings_.topic);
  }
  {
    auto state = state_.lock();
    const auto sent_at = state->queue.oldest_sent_at();
    if (state->stalled || !sent_at || steady_clock::now() - *sent_at < kStall) return;
    state->stalled = true;
  }
  client.saw_stall(kStall);
}

/// Each payload that is still with librdkafka comes back in a report, also when no broker answers.
void FrameProducer::give_up_handle() {
  giving_up_ = true;
  std::shared_ptr<kafka::Client> client;
  kafka::Topic topic;
  {
    auto state = state_.lock();
    client = std::move(state->client);
    topic = std::move(state->topic);
    state->connected = false;
    state->stalled = false;
  }
  if (!client) return;
  rd_kafka_purge(client->handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  while (rd_kafka_flush(client->handle(), kPurgeTimeoutMs) == RD_KAFKA_RESP_ERR__TIMED_OUT && !stop_) {
  }
  limit_ = TopicLimit();
  giving_up_ = false;
}

FrameProducer::Outcome FrameProducer::outcome(const State& state) const {
  if (state.failed) return Outcome::kFailed;
  return state.flushing ? Outcome::kFlushing : Outcome::kDone;
}

FrameProducer::Outcome FrameProducer::send(OutgoingFrame& frame) {
  OutgoingQueue::Entries dropped;  // let go without the lock: what their owners do then is not known here
  OutgoingFrame gone;
  const std::size_t bytes = frame.payload.size();
  Fit fits = Fit::kFits;
  {
    auto state = state_.lock();
    const auto has_room = [&] { return state->queue.has_room(bytes); };
    if (!is_live()) {
      state.wait(changed_, [&] { return outcome(*state) != Outcome::kDone || has_room(); });
    }
    if (outcome(*state) != Outcome::kDone) return outcome(*state);
    ++state->counts.accepted;
    state->counts.accepted_bytes += bytes;
    fits = fit(*state, frame);
    if (fits == Fit::kFits) {
      while (!has_room() && state->queue.has_waiting()) {
        dropped.splice(dropped.end(), state->queue.take_front());
        ++state->counts.dropped_queue_full;
      }
      if (has_room()) {
        state->queue.push(std::move(frame));
      } else {  // all that is held is under way, which librdkafka does not give back
        gone = std::move(frame);
        ++state->counts.dropped_queue_full;
      }
    } else {
      ++state->counts.dropped_too_large;
    }
  }
  if (fits != Fit::kFits) return refuse_too_large(bytes, fits) ? Outcome::kDone : Outcome::kFailed;
  hand_over_waiting();
  return Outcome::kDone;
}

FrameProducer::Fit FrameProducer::fit(const State& state, const OutgoingFrame& frame) const {
  const std::size_t bytes = frame.payload.size() + frame.bytes_beside;
  if (bytes > state.max_message_bytes) return Fit::kAboveProperty;
  // The broker measures what was compressed.
  const bool above = !state.compresses && state.topic_limit && bytes + kBatchOverhead > *state.topic_limit;
  return above ? Fit::kAboveTopic : Fit::kFits;
}

/// @return whether the stream goes on
bool FrameProducer::refuse_too_large(std::size_t bytes, Fit fit) {
  std::string text = "A frame of " + std::to_string(bytes) + " bytes is larger than ";
  std::shared_ptr<kafka::Client> client;
  {
    auto state = state_.lock();
    client = state->client;
    text += fit == Fit::kAboveTopic
                ? "the topic takes: max.message.bytes of \"" + settings_.topic + "\" is " +
                      std::to_string(*state->topic_limit) + "; raise it on the broker, or make the frames smaller"
                : std::string(state->message_limit) + " allows, which is " + std::to_string(state->max_message_bytes) +
                      "; raise it";
  }
  if (!is_live()) {
    if (client) client->fail(Failure(text + ".", "MSG_SIZE_TOO_LARGE"));
    return false;
  }
  if (fit == Fit::kAboveTopic) limit_in_doubt_ = true;
  auto complaint = too_large_.lock();
  if (complaint->count_one()) {
    events_.warning(
        Failure(text + ". " + std::to_string(complaint->count()) + " such frames so far.", "MSG_SIZE_TOO_LARGE"));
  }
  return true;
}

void FrameProducer::hand_over_waiting() {
  auto refused = RD_KAFKA_RESP_ERR_NO_ERROR;
  OutgoingQueue::Entries given_up;
  {
    // Under the lock, for two threads come here and the order must stay: rd_kafka_producev only queues.
    auto state = state_.lock();
    OutgoingQueue& queue = state->queue;
    if (!state->connected || !queue.has_waiting()) return;
    const auto oldest = settings_.max_age.count() > 0 && is_live() ? unix_ms() - settings_.max_age.count() : 0;
    while (queue.may_send(state->max_under_way)) {
      if (queue.front().frame.captured_ms < oldest) {
        given_up.splice(given_up.end(), queue.take_front());
        ++state->counts.dropped_too_old;
        continue;
      }
      const auto error = produce(*state, queue.front());
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) break;  // goes on when reports have been served
      broken_ = broken_ || error == RD_KAFKA_RESP_ERR__FATAL;
      if (broken_) break;  // goes on with the next client
      given_up.splice(given_up.end(), queue.take_front());
      ++state->counts.failed;
      refused = error;
    }
  }
  if (given_up.empty()) return;
  changed_.notify_all();  // there is room now
  if (refused != RD_KAFKA_RESP_ERR_NO_ERROR) tell(refused);
}

/// The frame is under way when there is no error.
rd_kafka_resp_err_t FrameProducer::produce(State& state, OutgoingQueue::Entry& entry) {
  const OutgoingFrame& frame = entry.frame;
  const char* key = frame.key ? frame.key->data() : nullptr;
  const std::size_t key_size = frame.key ? frame.key->size() : 0;
  const auto error = rd_kafka_producev(
      state.client->handle(), RD_KAFKA_V_RKT(state.topic.get()), RD_KAFKA_V_PARTITION(settings_.partition),
      RD_KAFKA_V_MSGFLAGS(0), RD_KAFKA_V_VALUE(const_cast<std::byte*>(frame.payload.data()), frame.payload.size()),
      RD_KAFKA_V_KEY(key, key_size), RD_KAFKA_V_TIMESTAMP(frame.timestamp_ms), RD_KAFKA_V_HEADERS(frame.headers.get()),
      RD_KAFKA_V_OPAQUE(&entry), RD_KAFKA_V_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
  std::ignore = entry.frame.headers.release();  // librdkafka's now
  state.queue.send_front();
  return error;
}

/// @return whether a frame that did not arrive, or perhaps did, is sent by the next client
bool FrameProducer::sends_again(rd_kafka_t* handle, rd_kafka_resp_err_t error) const {
  if (is_live() || stop_) return false;
  return giving_up_ || kafka::is_unknown(error) ||
         rd_kafka_fatal_error(handle, nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

void FrameProducer::on_report(rd_kafka_t* handle, const rd_kafka_message_t& report) {
  auto& entry = *static_cast<OutgoingQueue::Entry*>(report._private);
  const bool delivered = report.err == RD_KAFKA_RESP_ERR_NO_ERROR;
  if (!delivered && sends_again(handle, report.err)) {
    rd_kafka_headers_t* headers = nullptr;
    rd_kafka_message_detach_headers(const_cast<rd_kafka_message_t*>(&report), &headers);
    auto state = state_.lock();
    entry.frame.headers.reset(headers);
    state->queue.put_back(entry);
    if (rd_kafka_message_status(&report) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED) ++state->counts.resent;
    topic_gone_ = topic_gone_ || kafka::is_unknown(report.err);
    broken_ = true;
    return;
  }
  entry.frame.owner.reset();  // before it is counted: who waited for the count may look for the payload
  OutgoingQueue::Entries done;
  std::shared_ptr<kafka::Client> client;
  bool has_room = false;
  bool stalled = false;
  {
    auto state = state_.lock();
    client = state->client;
    if (delivered) {
      ++state->counts.delivered;
      state->counts.delivered_bytes += report.len;
      const auto now = steady_clock::now();
      state->latency.record(now - entry.came_at, now);
    } else {
      ++state->counts.failed;
    }
    done = state->queue.take(entry);
    has_room = state->queue.is_half_empty();
    const auto sent_at = state->queue.oldest_sent_at();
    if (!sent_at || steady_clock::now() - *sent_at < kStall) state->stalled = false;
    stalled = state->stalled;
  }
  if (has_room) changed_.notify_all();
  if (stop_ || !client) return;
  if (delivered) {
    if (!stalled) client->saw_success();
  } else {
    tell(report.err);  // rd_kafka_message_errstr() would read the payload as text
  }
}

/// A frame could not be delivered.
void FrameProducer::tell(rd_kafka_resp_err_t error) {
  std::shared_ptr<kafka::Client> client;
  std::size_t undelivered = 1;
  {
    auto state = state_.lock();
    client = state->client;
    undelivered += state->queue.held();
  }
  if (!client) return;
  if (!is_live()) {
    const Failure failure = kafka::to_failure(error, "a frame could not be delivered", client->peer());
    client->fail(
        Failure(std::string(failure.what()) + " " + std::to_string(undelivered) + " frames were not delivered.",
                failure.detail()));
  } else {
    client->saw_error(error, {});
  }
}

FrameProducer::Outcome FrameProducer::drain(milliseconds timeout, std::size_t& held) {
  auto state = state_.lock();
  const auto done = [&] {
    return outcome(*state) != Outcome::kDone || state->queue.held() == 0 ||
           (is_live() && state->client && state->client->in_outage());
  };
  if (timeout.count() == 0) {
    state.wait(changed_, done);
  } else {
    state.wait_until(changed_, steady_clock::now() + timeout, done);
  }
  held = state->queue.held();
  return outcome(*state);
}

void FrameProducer::set_flushing(bool flushing) {
  state_.lock()->flushing = flushing;
  changed_.notify_all();
}

FrameProducer::Statistics FrameProducer::statistics() {
  Statistics statistics;
  {
    auto state = state_.lock();
    statistics.counts = state->counts;
    statistics.queue_frames = state->queue.held();
    statistics.queue_bytes = state->queue.bytes();
    statistics.latency = state->latency.figures();
  }
  statistics.connection = history_->statistics.lock()->known();
  statistics.errors = history_->error_counts.snapshot();
  return statistics;
}

}  // namespace gkv
