#include "frame_consumer.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <future>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include "common/failure.h"

namespace gkv {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kFetchBytes = 1024 * 1024;  ///< of one partition in one fetch, unless a message is larger
constexpr std::size_t kHeldShare = 16;
constexpr std::size_t kBytesOfKilobyte = 1024;
constexpr const char* kNoGroup = "gst-kafka-vision";  ///< librdkafka asks for a group's name where there is none
constexpr milliseconds kIdle(1000);                   ///< between looks at what no message tells
constexpr milliseconds kRepairPause(100);
constexpr milliseconds kSeekAnswer(2000);
constexpr milliseconds kCloseTime(500);
constexpr int kFetcherWakesItself = 0x020200ff;  ///< librdkafka 2.2: fetch.queue.backoff.ms

kafka::Settings defaults(const FrameConsumer::Settings& settings) {
  const bool live = settings.mode == ReadMode::kLatestOffset;
  return {
      {"fetch.wait.max.ms", live ? "50" : "100"},
      {"fetch.min.bytes", "1"},
      {"fetch.error.backoff.ms", live ? "50" : "500"},
      {"fetch.queue.backoff.ms", "10"},
      {"fetch.message.max.bytes", std::to_string(kFetchBytes)},
      {"fetch.max.bytes", "104857600"},
      {"receive.message.max.bytes", "210763776"},  // largest message + fetch.max.bytes + 1 MiB
      {"message.max.bytes", "104857600"},
      {"queued.max.messages.kbytes", "16384"},
      {"group.id", kNoGroup},
      {"partition.assignment.strategy", "cooperative-sticky"},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},  // a broker that lags behind must not make it jump: repair_position() decides
      {"enable.partition.eof", settings.stop.kind == StopAt::Kind::kNever ? "false" : "true"},
      {"allow.auto.create.topics", "false"},
      {"max.poll.interval.ms", "86400000"},
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "500"},
      {"socket.nagle.disable", "true"},
      {"socket.timeout.ms", "10000"},  // of a broker that hangs, while another has taken over
  };
}

/// A frame may be held downstream after its consumer is gone. rd_kafka_destroy() waits for such frames, so whoever lets
/// the last one go must not be the one who destroys.
void bury(kafka::Client* client) {
  if (client->handle()) {
    std::thread([client] { delete client; }).detach();
  } else {
    delete client;
  }
}

std::string joined(const std::vector<std::string>& topics) {
  std::string text;
  for (const std::string& topic : topics) text += (text.empty() ? "" : ",") + topic;
  return text;
}

bool matches(const std::vector<std::string>& patterns, std::string_view source) {
  const std::string name(source);
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return fnmatch(pattern.c_str(), name.c_str(), 0) == 0; });
}

/// Events of a consumer that was stopped, but still looks for its broker, are nobody's business.
kafka::Events until_stopped(kafka::Events events, const std::shared_ptr<std::atomic<bool>>& stop) {
  const auto guard = [&stop](auto& event) {
    if (!event) return;
    event = [told = std::move(event), stop](const auto& what) {
      if (!*stop) told(what);
    };
  };
  guard(events.error);
  guard(events.warning);
  guard(events.info);
  return events;
}

/// What reading relies on is not the user's to set.
void refuse_own_keys(const kafka::Config& config) {
  static const std::map<std::string, std::string> instead = {
      {"auto.offset.reset", "set the property start-offset"},
      {"auto.commit.interval.ms", "set the property commit-interval"},
      {"enable.auto.commit", "set the property commit"},
      {"enable.auto.offset.store", "leave it out"},
      {"enable.partition.eof", "leave it out"}};
  for (const kafka::Origin& origin : config.user) {
    for (const kafka::Setting& setting : origin.settings) {
      const auto found = instead.find(setting.key);
      if (found == instead.end()) continue;
      throw Failure("The key " + setting.key + " is kafkasrc's own; in " + origin.name + " " + found->second +
                    (found->second == "leave it out" ? "." : " instead."));
    }
  }
}

}  // namespace

FrameConsumer::FrameConsumer(Settings settings, kafka::Events events)
    : settings_(std::move(settings)), events_(until_stopped(std::move(events), stop_)) {
  refuse_own_keys(settings_.config);
  kafka::Conf conf = make_conf();
  const auto number = [&](const char* key) { return std::stoul(kafka::value_of(conf.get(), key)); };
  fetch_bytes_ = number("fetch.message.max.bytes");
  response_bytes_ = number("fetch.max.bytes");
  queue_bytes_ = number("queued.max.messages.kbytes") * kBytesOfKilobyte;
  queue_messages_ = number("queued.min.messages");
  look_interval_ = milliseconds(std::stol(kafka::value_of(conf.get(), "topic.metadata.refresh.interval.ms")));
  group_id_ = kafka::value_of(conf.get(), "group.id");
  if (group_id_ == kNoGroup) group_id_.clear();
  if (in_group() && !settings_.partitions.empty()) {
    throw Failure("A consumer group shares the partitions by itself; unset the property partitions or group-id.");
  }
  if (!in_group() && settings_.start.kind == StartOffset::Kind::kCommitted) {
    throw Failure(
        "Without a consumer group there is no committed offset; set the property group-id or another start-offset.");
  }
  kafka::Events client_events = events_;
  client_events.seen = [missed = topic_missed_](rd_kafka_resp_err_t error) {
    *missed = *missed || kafka::is_unknown(error);
  };
  auto client = std::make_unique<kafka::Client>(RD_KAFKA_CONSUMER, std::move(conf), joined(settings_.topics),
                                                std::move(client_events), this);
  for (const std::string& topic : settings_.topics) {
    const kafka::Topic valid(rd_kafka_topic_new(client->handle(), topic.c_str(), nullptr));
    if (!valid) throw kafka::to_failure(RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, {}, client->peer());
  }
  client_ = {client.release(), bury};
}

void FrameConsumer::check(const Settings& settings) {
  const std::shared_ptr<FrameConsumer> checked(
      new FrameConsumer(settings, {.error = [](const Failure&) {}, .warning = [](const Failure&) {}}));
}

std::shared_ptr<FrameConsumer> FrameConsumer::start(Settings settings, kafka::Events events) {
  std::shared_ptr<FrameConsumer> self(new FrameConsumer(std::move(settings), std::move(events)));
  std::thread([self] { self->connect(); }).detach();
  return self;
}

void FrameConsumer::stop() {
  {
    const auto progress = progress_.lock();
    *stop_ = true;
  }
  newest_.clear();
  if (progress_.lock()->phase != Phase::kReading) return;
  commit(true);
  // A broker that is away holds this up for its time-outs.
  const auto closed = std::make_shared<std::promise<void>>();
  std::thread([self = shared_from_this(), closed] {
    rd_kafka_consumer_close(self->client_->handle());
    closed->set_value();
  }).detach();
  closed->get_future().wait_for(kCloseTime);
}

FrameConsumer::~FrameConsumer() {
  newest_.clear();
  if (client_.use_count() == 1) client_->destroy();
}

kafka::Conf FrameConsumer::make_conf() {
  kafka::Config config = settings_.config;
  for (kafka::Setting& setting : defaults(settings_)) config.defaults.push_back(std::move(setting));
  kafka::Conf conf = kafka::make_conf(config);
  rd_kafka_conf_set_rebalance_cb(conf.get(), [](rd_kafka_t* handle, rd_kafka_resp_err_t event,
                                                rd_kafka_topic_partition_list_t* partitions, void*) {
    static_cast<FrameConsumer*>(kafka::Client::opaque(handle))->on_rebalance(event, partitions);
  });
  rd_kafka_conf_set_offset_commit_cb(conf.get(), [](rd_kafka_t* handle, rd_kafka_resp_err_t error,
                                                    rd_kafka_topic_partition_list_t* partitions, void*) {
    static_cast<FrameConsumer*>(kafka::Client::opaque(handle))->on_commit(error, partitions);
  });
  return conf;
}

bool FrameConsumer::hold(ReceivedFrame& frame) const {
  const std::size_t size = frame.payload().size();
  if (size * kHeldShare < fetch_bytes_) return false;
  // A response brings what there is of each partition.
  const std::size_t pinned = std::max(size, std::min(response_bytes_, fetch_bytes_ * partition_count_));
  if (*held_ + pinned > settings_.max_bytes_held) return false;
  frame.hold(held_, pinned);
  return true;
}

void FrameConsumer::set_flushing(bool flushing) {
  {
    auto progress = progress_.lock();  // so that next() does not miss it between its look and its wait
    flushing_ = flushing;
  }
  progressed_.notify_all();
  if (!flushing) return;
  const kafka::Queue queue(rd_kafka_queue_get_consumer(client_->handle()));
  if (queue) rd_kafka_queue_yield(queue.get());
}

/// @return why there is nothing to read, or nullopt when there is
std::optional<FrameConsumer::Outcome> FrameConsumer::wait_until_reading() {
  kafka::Partitions assignment;
  {
    auto progress = progress_.lock();
    progress.wait(progressed_, [&] { return flushing_ || progress->phase != Phase::kConnecting; });
    if (flushing_) return Outcome::kFlushing;
    if (progress->phase == Phase::kFailed) return Outcome::kFailed;
    if (progress->phase == Phase::kReading) return std::nullopt;
    progress->phase = Phase::kReading;
    assignment = std::move(progress->assignment);
  }
  begin_reading(std::move(assignment));
  return client_->failed() ? std::optional(Outcome::kFailed) : std::nullopt;
}

FrameConsumer::Outcome FrameConsumer::next(std::optional<ReceivedFrame>& frame) {
  if (const auto outcome = wait_until_reading()) return *outcome;
  while (seek_time_ms_) {
    if (!goes_on()) return client_->failed() ? Outcome::kFailed : Outcome::kFlushing;
    if (seek_now(*seek_time_ms_)) seek_time_ms_.reset();
    if (seek_time_ms_) poll(kRepairPause);  // what comes meanwhile is not wanted
  }
  acknowledge();
  const Outcome outcome = reads_latest() ? next_newest(frame) : next_in_order(frame);
  if (outcome != Outcome::kFrame) return client_->failed() ? Outcome::kFailed : outcome;
  returned_ = {frame->topic(), frame->partition()};
  returned_offset_ = frame->offset();
  return outcome;
}

FrameConsumer::Outcome FrameConsumer::next_in_order(std::optional<ReceivedFrame>& frame) {
  while (goes_on()) {
    keep_house();
    if (has_ended()) return Outcome::kEnd;
    if ((frame = poll(milliseconds(0)))) return Outcome::kFrame;
    wake_fetchers();
    if ((frame = poll(patience()))) return Outcome::kFrame;
  }
  return Outcome::kFlushing;
}

/// Where there are more messages than librdkafka's queue holds, it looks only once a second before 2.2 whether the
/// queue has room again. A question to the broker makes it look at once; the answer is not waited for.
void FrameConsumer::wake_fetchers() {
  const std::uint64_t messages = messages_ - messages_at_wake_;
  const std::uint64_t bytes = bytes_ - bytes_at_wake_;
  const bool was_full = bytes >= queue_bytes_ / 2 || messages >= queue_messages_ / 2;
  if (rd_kafka_version() >= kFetcherWakesItself || !was_full) return;
  messages_at_wake_ = messages_;
  bytes_at_wake_ = bytes_;
  std::map<PartitionId, std::int64_t> behind;
  for (const auto& [id, state] : partitions_) {
    std::int64_t low = 0;
    std::int64_t high = 0;  // as of the last fetch
    rd_kafka_get_watermark_offsets(client_->handle(), id.first.c_str(), id.second, &low, &high);
    if (state.position >= 0 && state.position < high) behind[id] = kLogEnd;
  }
  offsets_at(client_->handle(), behind, milliseconds(0));
}

/// @return null for a partition that is not read (any more)
PartitionState* FrameConsumer::state_of(const rd_kafka_message_t& message) {
  if (!last_state_ || message.rkt != last_topic_ || message.partition != last_partition_) {
    const auto found = partitions_.find({rd_kafka_topic_name(message.rkt), message.partition});
    last_state_ = found == partitions_.end() ? nullptr : &found->second;
    last_topic_ = message.rkt;
    last_partition_ = message.partition;
  }
  return last_state_;
}

/// Waits for one message. @return nullopt on time-out, when woken, and for what is not wanted
std::optional<ReceivedFrame> FrameConsumer::poll(milliseconds timeout) {
  polled_any_ = false;
  if (!goes_on()) return std::nullopt;  // a poll swallows the call that would have woken the next one
  rd_kafka_message_t* message = rd_kafka_consumer_poll(client_->handle(), static_cast<int>(timeout.count()));
  if (!message) return std::nullopt;
  polled_any_ = true;
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const kafka::Message error(message);
    on_error(*error);
    return std::nullopt;
  }
  ReceivedFrame frame(client_, message);
  PartitionState* state = state_of(*message);
  // What comes while a partition is being repaired may be of another log; it is read again.
  if (!state || state->refused_since) return std::nullopt;
  const auto now = Clock::now();
  const bool was_silent = now - std::max(std::exchange(state->heard_at, now), state->checked_at) > kDoubtfulSilence;
  if ((was_silent || state->missed) && !reads_latest() && !is_same_log({frame.topic(), frame.partition()}, now)) {
    return std::nullopt;
  }
  state->position = frame.offset() + 1;
  state->timestamp_ms = frame.timestamp_ms();
  state->at_end = false;
  ++messages_;
  bytes_ += message->len;
  last_message_at_ = now.time_since_epoch().count();
  if (is_wanted(frame, *state)) return frame;
  return std::nullopt;
}

bool FrameConsumer::is_wanted(const ReceivedFrame& frame, PartitionState& state) {
  const std::int64_t offset = frame.offset();
  const bool by_time = settings_.stop.kind == StopAt::Kind::kTime;
  if (by_time && frame.timestamp_ms() >= settings_.stop.time_ms) state.ended = true;
  if (state.stops_at && offset >= *state.stops_at) state.ended = true;
  if (state.ended) return false;
  if (state.stops_at && offset + 1 >= *state.stops_at) state.ended = true;  // with this one
  if (settings_.source_filter.empty() || matches(settings_.source_filter, frame.source())) return true;
  ++filtered_;
  state.needs_all = true;                                // the last message may be of another source
  if (!reads_latest()) state.acknowledged = offset + 1;  // those before it have been dealt with
  return false;
}

void FrameConsumer::on_error(const rd_kafka_message_t& message) {
  PartitionState* state = message.rkt ? state_of(message) : nullptr;
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      if (!state) return;
      state->position = message.offset;
      state->at_end = true;
      state->ended = state->ended || settings_.stop.kind == StopAt::Kind::kEnd;
      return;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR__NO_OFFSET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      if (!state || state->refused_since) return;
      // Without a message so far, it is what was committed, or the end that was found at the start.
      if (state->position < 0 && message.offset >= 0) state->position = message.offset;
      refuse(*state);
      return;
    case RD_KAFKA_RESP_ERR__FATAL: {
      std::array<char, 512> words{};
      client_->fail(rd_kafka_fatal_error(client_->handle(), words.data(), words.size()), words.data());
      return;
    }
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      if (!in_group()) return;  // librdkafka looks for the coordinator of a group that nobody asked for
      break;
    default: break;
  }
  client_->saw_error(message.err, rd_kafka_message_errstr(&message));
}

void FrameConsumer::refuse(PartitionState& state) {
  state.refused_since = Clock::now();
  kept_house_at_ = {};
}

bool FrameConsumer::has_ended() const {
  return settings_.stop.kind != StopAt::Kind::kNever && !partitions_.empty() &&
         std::all_of(partitions_.begin(), partitions_.end(), [](const auto& entry) { return entry.second.ended; });
}

/// How long to wait for a message before the house is kept.
milliseconds FrameConsumer::patience() const {
  const auto now = Clock::now();
  const bool is_soon_due = std::any_of(partitions_.begin(), partitions_.end(), [&](const auto& entry) {
    return entry.second.refused_since || needs_reference(entry.second, now + kRepairPause);
  });
  if (is_soon_due || settings_.stop.kind != StopAt::Kind::kNever) return kRepairPause;
  return in_group() ? std::min(kIdle, settings_.commit_interval) : kIdle;
}

bool FrameConsumer::seek(std::int64_t time_ms) {
  if (in_group()) return false;
  if (progress_.lock()->phase == Phase::kReading) return seek_now(time_ms);
  seek_time_ms_ = time_ms;  // when reading begins
  return true;
}

bool FrameConsumer::seek_now(std::int64_t time_ms) {
  std::map<PartitionId, std::int64_t> times;
  for (const auto& [id, state] : partitions_) times[id] = time_ms > 0 ? time_ms : kLogBegin;
  const auto answer = ask_and_wait([times](rd_kafka_t* handle) { return offsets_at(handle, times, kSeekAnswer); });
  if (!answer || answer->found.size() != times.size()) return false;
  seek(answer->found);
  inspection_.reset();
  for (auto& [id, state] : partitions_) {
    const std::int64_t offset = answer->found.at(id);
    const bool refused = state.refused_since.has_value();
    state = {.start = offset, .position = std::max<std::int64_t>(offset, -1), .stops_at = state.stops_at};
    state.ended = state.stops_at && state.position >= *state.stops_at;
    if (refused) restart(id, state, offset);  // it cannot be sought in
  }
  newest_.clear();
  returned_.reset();
  return true;
}

FrameConsumer::Statistics FrameConsumer::statistics() const {
  Statistics statistics{.counts = {.messages = messages_,
                                   .bytes = bytes_,
                                   .skipped = skipped_,
                                   .filtered = filtered_,
                                   .lost = lost_,
                                   .rebalances = rebalances_},
                        .bytes_held = *held_,
                        .max_queue_bytes = queue_bytes_,
                        .connection = client_->statistics(),
                        .errors = client_->error_counts()};
  if (const Clock::rep at = last_message_at_) {
    statistics.since_last_message = Clock::now().time_since_epoch() - Clock::duration(at);
  }
  if (const kafka::Queue queue{rd_kafka_queue_get_consumer(client_->handle())}) {
    statistics.queue_messages = rd_kafka_queue_length(queue.get());
  }
  const auto positions = progress_.lock()->positions;
  for (const auto& [id, position] : positions) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    // Known from the last fetch, nobody is asked.
    if (position < 0 || rd_kafka_get_watermark_offsets(client_->handle(), id.first.c_str(), id.second, &low, &high) !=
                            RD_KAFKA_RESP_ERR_NO_ERROR) {
      continue;
    }
    statistics.lag[id.first + "-" + std::to_string(id.second)] = std::max<std::int64_t>(0, high - position);
  }
  return statistics;
}

}  // namespace gkv
