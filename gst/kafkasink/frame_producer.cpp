#include "frame_producer.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "common/failure.h"

namespace gkv {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kPurgeTimeoutMs = 1000;
constexpr int kNoLimitMs = -1;
constexpr milliseconds kAdminTimeout(500);
constexpr milliseconds kAdminPause(100);
constexpr milliseconds kLivePatience(3000);
constexpr std::size_t kMostIdempotentRequests = 5;  ///< that a broker keeps in order
constexpr std::size_t kBatchOverhead = 128;  ///< of a record batch with one record, rounded up

/// Latency and order before throughput: a frame is sent as soon as it is there, alone in its batch. librdkafka copies
/// payloads up to message.copy.max.bytes and gives up what the broker did not take in message.timeout.ms.
kafka::Settings defaults(const FrameProducer::Settings& settings) {
  const bool live = settings.delivery == Delivery::kLive;
  const bool ages = settings.max_age.count() > 0;
  const auto patience = ages ? std::min(settings.max_age, kLivePatience) : kLivePatience;
  return {
      {"linger.ms", "0"},
      {"batch.num.messages", "1"},
      {"message.copy.max.bytes", "1000"},
      {"message.max.bytes", "104857600"},
      {"queue.buffering.max.messages", "0"},  // the queue is bounded here
      {"queue.buffering.max.kbytes", "2097151"},
      {"acks", live ? "1" : "all"},
      {"enable.idempotence", live ? "false" : "true"},
      {"retries", live ? "0" : "2147483647"},
      {"message.timeout.ms", live ? std::to_string(patience.count()) : "0"},
      {"socket.nagle.disable", "true"},
      {"socket.timeout.ms", "10000"},  // of a broker that hangs, while another has taken over
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "500"},
  };
}

/// How many frames librdkafka is given at a time. Beyond what its idempotent producer may have in requests, its thread
/// polls without a pause (2.0.2: six times the CPU time, and no frame is sent sooner).
std::size_t most_under_way(const rd_kafka_conf_t* conf, std::size_t queue_frames) {
  const std::size_t half = (queue_frames + 1) / 2;
  if (kafka::value_of(conf, "enable.idempotence") != "true") return half;
  const auto number = [&](const char* key) { return std::stoul(kafka::value_of(conf, key)); };
  const auto requests = std::min(number("max.in.flight.requests.per.connection"), kMostIdempotentRequests);
  return std::min(half, requests * number("batch.num.messages"));
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
  const bool compresses = kafka::value_of(conf.get(), "compression.codec") != "none";
  const std::size_t max_under_way = most_under_way(conf.get(), settings_.queue.frames);
  auto client =
      std::make_shared<kafka::Client>(RD_KAFKA_PRODUCER, std::move(conf), settings_.topic, client_events(), this);
  kafka::Topic topic(rd_kafka_topic_new(client->handle(), settings_.topic.c_str(), nullptr));
  if (!topic) throw kafka::to_failure(RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, {}, client->peer());
  auto state = state_.lock();
  state->topic = std::move(topic);
  state->client = std::move(client);
  state->max_message_bytes = max_message_bytes;
  state->compresses = compresses;
  state->max_under_way = max_under_way;
}

kafka::Conf FrameProducer::make_conf() const {
  kafka::Config config = settings_.config;
  for (kafka::Setting& setting : defaults(settings_)) config.defaults.push_back(std::move(setting));
  kafka::Conf conf = kafka::make_conf(config);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), [](rd_kafka_t* handle, const rd_kafka_message_t* report, void*) {
    static_cast<FrameProducer*>(kafka::Client::opaque(handle))->on_report(handle, *report);
  });
  return conf;
}

/// An error is kept: whoever waits is woken, and later callers are told.
kafka::Events FrameProducer::client_events() {
  kafka::Events events = events_;
  events.error = [this](const Failure& failure) {
    state_.lock()->failed = true;
    changed_.notify_all();
    events_.error(failure);
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
  std::uint64_t told = 0;  // of frames that were sent again
  while (!stop_ && connect()) {
    hand_over_waiting();
    poll_until_broken();
    if (stop_ || !broken_) return;
    give_up_handle();
    const Counts counts = state_.lock()->counts;
    if (stop_ || state_.lock()->failed) return;
    events_.warning(Failure(
        "The connection to Kafka lost count of the frames and was made anew; " + std::to_string(counts.resent - told) +
            " frames are sent again and may be in the topic \"" + settings_.topic + "\" twice, with the same ce_id.",
        "the idempotent producer failed for good"));
    told = counts.resent;
    broken_ = false;
    try {
      make_client();
    } catch (const Failure& failure) {  // such as a CA file that has gone
      client_events().error(failure);
      return;
    }
  }
}

bool FrameProducer::connect() {
  const auto client = state_.lock()->client;
  if (settings_.create_topic && !wait_until_topic_is_created(*client)) return false;
  std::vector<kafka::TopicSize> found;
  if (client->wait_for_topics({settings_.topic}, settings_.connect_timeout, stop_, found) !=
          kafka::Client::Readiness::kReady ||
      !partition_exists(*client, found.front().partitions)) {
    return false;
  }
  limit_.ask(client->handle(), settings_.topic);
  auto state = state_.lock();
  state->connected = !stop_;
  return state->connected;
}

bool FrameProducer::wait_until_topic_is_created(kafka::Client& client) {
  const auto begin = steady_clock::now();
  while (!stop_) {
    std::string words;
    const auto error = create_topic(client.handle(), settings_.topic, *settings_.create_topic, kAdminTimeout, words);
    rd_kafka_poll(client.handle(), 0);  // serves the client's errors
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    if (client.failed()) return false;
    const auto timeout = settings_.connect_timeout;
    const bool late = timeout.count() > 0 && steady_clock::now() - begin >= timeout;
    if (!kafka::is_outage(error)) {
      client.fail(Failure("The topic \"" + settings_.topic +
                              "\" cannot be created; check the properties partitions and replication-factor and what "
                              "the broker allows, or create it in another way.",
                          std::string(rd_kafka_err2name(error)) + ": " + words));
      return false;
    }
    if (late) {
      client.fail(error, words);
      return false;
    }
    rd_kafka_poll(client.handle(), static_cast<int>(kAdminPause.count()));
  }
  return false;
}

bool FrameProducer::partition_exists(kafka::Client& client, int partitions) {
  if (settings_.partition < partitions) return true;
  client.fail(Failure("The topic \"" + settings_.topic + "\" has no partition " + std::to_string(settings_.partition) +
                          "; its partitions are 0 to " + std::to_string(partitions - 1) +
                          ": correct the property partition.",
                      "checked when connected"));
  return false;
}

void FrameProducer::poll_until_broken() {
  const auto client = state_.lock()->client;
  while (!stop_ && !broken_) {
    rd_kafka_poll(client->handle(), kNoLimitMs);
    if (const auto limit = limit_.poll()) state_.lock()->topic_limit = limit;
  }
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
  }
  if (!client) return;
  rd_kafka_purge(client->handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client->handle(), kPurgeTimeoutMs);
  limit_ = TopicLimit();
  giving_up_ = false;
}

FrameProducer::Outcome FrameProducer::outcome(const State& state) const {
  if (state.failed) return Outcome::kFailed;
  return state.flushing ? Outcome::kFlushing : Outcome::kDone;
}

FrameProducer::Outcome FrameProducer::send(OutgoingFrame& frame) {
  OutgoingQueue::Entries dropped;  // let go without the lock: what their owners do then is not known here
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
      state->queue.push(std::move(frame));
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
                : "the property max-message-bytes allows, which is " + std::to_string(state->max_message_bytes) +
                      "; raise it";
  }
  if (!is_live()) {
    if (client) client->fail(Failure(text + ".", "MSG_SIZE_TOO_LARGE"));
    return false;
  }
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
    while (queue.has_waiting() && queue.under_way() < state->max_under_way) {
      if (queue.front().frame.captured_ms < oldest) {
        given_up.splice(given_up.end(), queue.take_front());
        ++state->counts.dropped_too_old;
        continue;
      }
      const auto error = produce(*state, queue.front());
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL && queue.under_way() > 0) break;  // goes on with the next report
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
bool FrameProducer::sends_again(rd_kafka_t* handle) const {
  if (is_live() || stop_) return false;
  return giving_up_ || rd_kafka_fatal_error(handle, nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

void FrameProducer::on_report(rd_kafka_t* handle, const rd_kafka_message_t& report) {
  auto& entry = *static_cast<OutgoingQueue::Entry*>(report._private);
  const bool delivered = report.err == RD_KAFKA_RESP_ERR_NO_ERROR;
  if (!delivered && sends_again(handle)) {
    rd_kafka_headers_t* headers = nullptr;
    rd_kafka_message_detach_headers(const_cast<rd_kafka_message_t*>(&report), &headers);
    auto state = state_.lock();
    entry.frame.headers.reset(headers);
    state->queue.put_back(entry);
    ++state->counts.resent;
    broken_ = true;
    return;
  }
  entry.frame.owner.reset();  // before it is counted: who waited for the count may look for the payload
  OutgoingQueue::Entries done;
  std::shared_ptr<kafka::Client> client;
  bool has_room = false;
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
  }
  if (has_room) changed_.notify_all();
  if (stop_ || !client) return;
  hand_over_waiting();
  if (delivered) {
    client->saw_success();
  } else {
    tell(report.err);  // rd_kafka_message_errstr() would read the payload as text
  }
}

/// A frame could not be delivered.
void FrameProducer::tell(rd_kafka_resp_err_t error) {
  const auto client = state_.lock()->client;
  if (!client) return;
  if (is_live()) {
    client->saw_error(error, {});
  } else {
    client->fail(error, "a frame could not be delivered");
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
  std::shared_ptr<kafka::Client> client;
  Statistics statistics;
  {
    auto state = state_.lock();
    client = state->client;
    statistics.counts = state->counts;
    statistics.queue_frames = state->queue.held();
    statistics.queue_bytes = state->queue.bytes();
    statistics.latency = state->latency.figures();
  }
  if (!client) return statistics;
  statistics.connection = client->statistics();
  statistics.errors = client->error_counts();
  return statistics;
}

}  // namespace gkv
