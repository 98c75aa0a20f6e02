#include "frame_consumer.h"

#include <fnmatch.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "common/failure.h"

namespace gkv {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kFetchBytes = 1024 * 1024;  ///< of one partition in one fetch, unless a message is larger
constexpr std::size_t kHeldShare = 16;
constexpr const char* kNoGroup = "gst-kafka-vision";  ///< librdkafka asks for a group's name where there is none
constexpr milliseconds kIdle(1000);                   ///< between looks at what no message tells
constexpr milliseconds kRepairPause(100);
constexpr milliseconds kQuery(40);  ///< for a broker's answer on the streaming thread, which must be woken in 50 ms
constexpr milliseconds kFirstQuery(500);
constexpr milliseconds kWakePause(2);
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

std::int64_t unix_ms() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

FrameConsumer::FrameConsumer(Settings settings, kafka::Events events)
    : settings_(std::move(settings)), events_(std::move(events)) {
  kafka::Conf conf = make_conf();
  fetch_bytes_ = std::stoul(kafka::value_of(conf.get(), "fetch.message.max.bytes"));
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
  auto client =
      std::make_unique<kafka::Client>(RD_KAFKA_CONSUMER, std::move(conf), joined(settings_.topics), events_, this);
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
  stop_ = true;
  newest_.clear();
  if (progress_.lock()->phase != Phase::kReading) return;
  commit(true);
  rd_kafka_consumer_close(client_->handle());
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
  return conf;
}

void FrameConsumer::connect() {
  std::vector<kafka::TopicSize> found;
  bool ready = client_->wait_for_topics(settings_.topics, settings_.connect_timeout, stop_, found) ==
               kafka::Client::Readiness::kReady;
  kafka::Partitions assignment;
  if (ready && !in_group()) {
    assignment = assignment_of(found);
    ready = assignment != nullptr;
  }
  {
    auto progress = progress_.lock();
    progress->phase = ready ? Phase::kConnected : Phase::kFailed;
    progress->assignment = std::move(assignment);
  }
  progressed_.notify_all();
}

/// @return the partitions to be read and where they begin; null when stopped or failed
kafka::Partitions FrameConsumer::assignment_of(const std::vector<kafka::TopicSize>& found) {
  kafka::Partitions list(rd_kafka_topic_partition_list_new(1));
  for (const kafka::TopicSize& topic : found) {
    std::vector<int> wanted = settings_.partitions;
    for (int partition = 0; settings_.partitions.empty() && partition < topic.partitions; ++partition) {
      wanted.push_back(partition);
    }
    for (const int partition : wanted) {
      if (partition >= topic.partitions) {
        client_->fail(Failure("The topic \"" + topic.topic + "\" has no partition " + std::to_string(partition) +
                              "; its partitions are 0 to " + std::to_string(topic.partitions - 1) +
                              ": correct the property partitions."));
        return nullptr;
      }
      auto offset = first_offset(topic.topic, partition, kFirstQuery);
      while (!offset && !stop_) offset = first_offset(topic.topic, partition, kFirstQuery);
      if (stop_) return nullptr;
      rd_kafka_topic_partition_list_add(list.get(), topic.topic.c_str(), partition)->offset = *offset;
    }
  }
  return list;
}

/// Where a partition is read first. @return nullopt where a broker must be asked and does not answer
std::optional<std::int64_t> FrameConsumer::first_offset(const std::string& topic, int partition, milliseconds timeout) {
  const StartOffset& start = settings_.start;
  switch (start.kind) {
    case StartOffset::Kind::kLatest: return RD_KAFKA_OFFSET_END;
    case StartOffset::Kind::kEarliest:
    case StartOffset::Kind::kCommitted: return RD_KAFKA_OFFSET_BEGINNING;
    case StartOffset::Kind::kTimestamp: return offset_at(client_->handle(), topic, partition, start.time_ms, timeout);
    case StartOffset::Kind::kNumber: {
      const auto marks = watermarks(client_->handle(), topic, partition, timeout);
      if (!marks) return std::nullopt;
      // An offset relative to the end, as librdkafka has it, can find itself out of range for ever.
      return std::clamp(start.number < 0 ? marks->high + start.number : start.number, marks->low, marks->high);
    }
    case StartOffset::Kind::kAuto: break;
  }
  return in_group() && !reads_latest() ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END;
}

void FrameConsumer::begin_reading(kafka::Partitions assignment) {
  rd_kafka_poll_set_consumer(client_->handle());
  looked_at_ = Clock::now();
  auto error = RD_KAFKA_RESP_ERR_NO_ERROR;
  if (in_group()) {
    const kafka::Partitions list(rd_kafka_topic_partition_list_new(1));
    for (const std::string& topic : settings_.topics) {
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    }
    error = rd_kafka_subscribe(client_->handle(), list.get());
  } else {
    for (int i = 0; i < assignment->cnt; ++i) {
      partitions_[{assignment->elems[i].topic, assignment->elems[i].partition}] = {};
    }
    error = rd_kafka_assign(client_->handle(), assignment.get());
  }
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) client_->fail(error, {});
}

/// Partitions and topics that came since are read from their beginning: they came while we were reading.
void FrameConsumer::look_for_new_partitions() {
  if (in_group() || !settings_.partitions.empty() || look_interval_.count() <= 0) return;
  const auto now = Clock::now();
  if (now - looked_at_ < look_interval_) return;
  looked_at_ = now;
  std::vector<kafka::TopicSize> found;
  if (client_->look_for_topics(settings_.topics, kQuery, found) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const kafka::Partitions added(rd_kafka_topic_partition_list_new(1));
  for (const kafka::TopicSize& topic : found) {
    for (int partition = 0; partition < topic.partitions; ++partition) {
      if (!partitions_.try_emplace({topic.topic, partition}).second) continue;
      rd_kafka_topic_partition_list_add(added.get(), topic.topic.c_str(), partition)->offset =
          RD_KAFKA_OFFSET_BEGINNING;
    }
  }
  if (added->cnt == 0) return;
  const kafka::Error error(rd_kafka_incremental_assign(client_->handle(), added.get()));
  if (error) client_->saw_error(rd_kafka_error_code(error.get()), rd_kafka_error_string(error.get()));
}

void FrameConsumer::on_rebalance(rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t* partitions) {
  rd_kafka_t* handle = client_->handle();
  const bool assigned = event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  ++rebalances_;
  if (!assigned && !rd_kafka_assignment_lost(handle)) commit(true);  // whoever gets the partitions goes on from there
  last_state_ = nullptr;
  for (int i = 0; i < partitions->cnt; ++i) {
    auto& entry = partitions->elems[i];
    partitions_.erase({entry.topic, entry.partition});
    if (!assigned) continue;
    partitions_[{entry.topic, entry.partition}] = {};
    const bool goes_on = !reads_latest() || settings_.start.kind == StartOffset::Kind::kCommitted;
    entry.offset = goes_on ? RD_KAFKA_OFFSET_STORED
                           : first_offset(entry.topic, entry.partition, kQuery).value_or(RD_KAFKA_OFFSET_END);
  }
  if (std::string(rd_kafka_rebalance_protocol(handle)) == "COOPERATIVE") {
    const kafka::Error error(assigned ? rd_kafka_incremental_assign(handle, partitions)
                                      : rd_kafka_incremental_unassign(handle, partitions));
    if (error) client_->saw_error(rd_kafka_error_code(error.get()), rd_kafka_error_string(error.get()));
  } else {
    const auto error = rd_kafka_assign(handle, assigned ? partitions : nullptr);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) client_->saw_error(error, {});
  }
}

bool FrameConsumer::hold(ReceivedFrame& frame) const {
  const std::size_t size = frame.payload().size();
  const std::size_t pinned = std::max(size, fetch_bytes_);
  if (size * kHeldShare < fetch_bytes_ || *held_ + pinned > settings_.max_bytes_held) return false;
  frame.count_as_held(held_, pinned);
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
  acknowledge();
  const Outcome outcome = reads_latest() ? next_newest(frame) : next_in_order(frame);
  if (outcome != Outcome::kFrame) return client_->failed() ? Outcome::kFailed : outcome;
  returned_ = {rd_kafka_topic_name(frame->message().rkt), frame->message().partition};
  returned_offset_ = frame->message().offset;
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

/// Where there are more messages than librdkafka's queue holds, it looks only once a second before 2.2 whether the queue
/// has room again. A question to the broker makes it look at once; the answer is not waited for.
void FrameConsumer::wake_fetchers() {
  if (rd_kafka_version() >= kFetcherWakesItself) return;
  const auto now = Clock::now();
  if (now - woke_fetchers_at_ < kWakePause) return;
  woke_fetchers_at_ = now;
  for (const auto& [id, state] : partitions_) {
    const auto& [topic, number] = id;
    std::int64_t low = 0;
    std::int64_t high = 0;  // as of the last fetch
    if (rd_kafka_get_watermark_offsets(client_->handle(), topic.c_str(), number, &low, &high) ==
            RD_KAFKA_RESP_ERR_NO_ERROR &&
        state.position >= 0 && state.position < high) {
      rd_kafka_query_watermark_offsets(client_->handle(), topic.c_str(), number, &low, &high, 0);
    }
  }
}

PartitionState& FrameConsumer::state_of(const rd_kafka_message_t& message) {
  if (!last_state_ || message.rkt != last_topic_ || message.partition != last_partition_) {
    last_state_ = &partitions_[{rd_kafka_topic_name(message.rkt), message.partition}];
    last_topic_ = message.rkt;
    last_partition_ = message.partition;
  }
  return *last_state_;
}

/// Waits for one message. @return nullopt on time-out, when woken, and for what is not wanted
std::optional<ReceivedFrame> FrameConsumer::poll(milliseconds timeout) {
  rd_kafka_message_t* message = rd_kafka_consumer_poll(client_->handle(), static_cast<int>(timeout.count()));
  if (!message) return std::nullopt;
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const kafka::Message error(message);
    on_error(*error);
    return std::nullopt;
  }
  client_->saw_success();
  ReceivedFrame frame(client_, message);
  PartitionState& state = state_of(*message);
  state.position = message->offset + 1;
  state.refused_since.reset();
  state.at_end = false;
  ++messages_;
  bytes_ += message->len;
  last_message_at_ = Clock::now().time_since_epoch().count();
  if (is_wanted(frame, state)) return frame;
  return std::nullopt;
}

bool FrameConsumer::is_wanted(const ReceivedFrame& frame, PartitionState& state) {
  const std::int64_t offset = frame.message().offset;
  const bool by_time = settings_.stop.kind == StopAt::Kind::kTime;
  if (by_time && frame.timestamp_ms() >= settings_.stop.time_ms) state.ended = true;
  if (state.stops_at && offset >= *state.stops_at) state.ended = true;
  if (state.ended) return false;
  if (state.stops_at && offset + 1 >= *state.stops_at) state.ended = true;  // with this one
  if (settings_.source_filter.empty() || matches(settings_.source_filter, frame.source())) return true;
  ++filtered_;
  return false;
}

void FrameConsumer::on_error(const rd_kafka_message_t& message) {
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF: {
      PartitionState& state = state_of(message);
      state.position = message.offset;
      state.at_end = true;
      break;
    }
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR__NO_OFFSET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: {
      PartitionState& state = state_of(message);
      if (!state.refused_since) state.refused_since = Clock::now();
      kept_house_at_ = {};
      break;
    }
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      if (!in_group()) break;  // librdkafka looks for the coordinator of a group that nobody asked for
      [[fallthrough]];
    default: client_->saw_error(message.err, rd_kafka_message_errstr(&message));
  }
}

bool FrameConsumer::has_ended() const {
  return settings_.stop.kind != StopAt::Kind::kNever && !partitions_.empty() &&
         std::all_of(partitions_.begin(), partitions_.end(), [](const auto& entry) { return entry.second.ended; });
}

/// How long to wait for a message before the house is kept.
milliseconds FrameConsumer::patience() const {
  const bool repairs = std::any_of(partitions_.begin(), partitions_.end(),
                                   [](const auto& entry) { return entry.second.refused_since.has_value(); });
  if (repairs || settings_.stop.kind != StopAt::Kind::kNever) return kRepairPause;
  return in_group() ? std::min(kIdle, settings_.commit_interval) : kIdle;
}

/// What is due from time to time, whether messages come or not.
void FrameConsumer::keep_house() {
  const auto now = Clock::now();
  if (now - kept_house_at_ < kRepairPause) return;
  kept_house_at_ = now;
  commit(false);
  look_for_new_partitions();
  for (auto& [id, state] : partitions_) {
    if (!goes_on()) return;
    if (state.refused_since) repair_position(id, state);
    if (settings_.stop.kind != StopAt::Kind::kNever && !state.ended) find_end(id, state);
  }
}

void FrameConsumer::find_end(const PartitionId& id, PartitionState& state) {
  if (settings_.stop.kind == StopAt::Kind::kTime) {
    state.ended = state.at_end && unix_ms() >= settings_.stop.time_ms;
    return;
  }
  if (!state.stops_at) {
    const auto marks = watermarks(client_->handle(), id.first, id.second, kQuery);
    if (!marks) return;
    state.stops_at = marks->high;
    if (marks->low == marks->high) state.ended = true;
  }
  // Offsets at the end may belong to no message: markers of transactions, what compaction has removed.
  if (state.position >= *state.stops_at || state.at_end) state.ended = true;
}

void FrameConsumer::repair_position(const PartitionId& id, PartitionState& state) {
  const auto& [topic, number] = id;
  if (state.position < 0 && in_group()) {  // refused is what the group had committed before this start, if anything
    const auto committed = committed_offset(client_->handle(), topic, number, kQuery);
    if (!committed) return;
    state.position = *committed;
  }
  if (state.position < 0) {
    const auto offset = first_offset(topic, number, kQuery);
    if (!offset) return;
    state.refused_since.reset();
    restart(id, *offset);
    return;
  }
  const auto marks = watermarks(client_->handle(), topic, number, kQuery);
  if (!marks) return;
  const Repair found = repair(state.position, *marks, Clock::now() - *state.refused_since, reads_latest());
  const std::string where = "partition " + std::to_string(number) + " of the topic \"" + topic + "\"";
  if (found.kind == Repair::Kind::kRetention) {
    lost_ += static_cast<std::uint64_t>(found.lost);
    if (lost_complaint_.count_one()) {
      events_.warning(
          Failure(std::to_string(found.lost) + " messages of " + where +
                      " were deleted before they were read; read faster, or raise retention.ms or "
                      "retention.bytes of the topic.",
                  "at offset " + std::to_string(state.position) + ", the first one is " + std::to_string(marks->low)));
    }
  } else if (found.kind == Repair::Kind::kOtherLog) {
    events_.warning(
        Failure("The log of " + where + " was cut or made anew: it ends before what was read already; " +
                    (reads_latest() ? "reading goes on at its end." : "reading goes on at its beginning."),
                "at offset " + std::to_string(state.position) + ", the log ends at " + std::to_string(marks->high)));
  }
  if (found.kind != Repair::Kind::kReadOn && found.kind != Repair::Kind::kWait) {
    state.refused_since.reset();
    state.position = found.offset;
    newest_.break_chains();
  }
  restart(id, found.offset);
}

/// A partition whose offset was refused is not fetched any more, and cannot be sought in: it is assigned anew.
void FrameConsumer::restart(const PartitionId& id, std::int64_t offset) {
  rd_kafka_t* handle = client_->handle();
  const kafka::Partitions list(rd_kafka_topic_partition_list_new(1));
  if (std::string(rd_kafka_rebalance_protocol(handle)) == "EAGER") {
    for (const auto& [other, state] : partitions_) {
      const auto position = state.position < 0 ? RD_KAFKA_OFFSET_STORED : state.position;
      rd_kafka_topic_partition_list_add(list.get(), other.first.c_str(), other.second)->offset =
          other == id ? offset : position;
    }
    rd_kafka_assign(handle, list.get());
    return;
  }
  rd_kafka_topic_partition_list_add(list.get(), id.first.c_str(), id.second)->offset = offset;
  const kafka::Error gone(rd_kafka_incremental_unassign(handle, list.get()));
  const kafka::Error back(rd_kafka_incremental_assign(handle, list.get()));
  if (back) client_->saw_error(rd_kafka_error_code(back.get()), rd_kafka_error_string(back.get()));
}

void FrameConsumer::seek(const PartitionId& id, std::int64_t offset) {
  const kafka::Partitions list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), id.first.c_str(), id.second)->offset = offset;
  const kafka::Error error(rd_kafka_seek_partitions(client_->handle(), list.get(), 0));  // does not wait
}

bool FrameConsumer::seek(std::int64_t time_ms) {
  if (progress_.lock()->phase != Phase::kReading || in_group()) return false;
  for (auto& [id, state] : partitions_) {
    const auto offset = offset_at(client_->handle(), id.first, id.second, time_ms, kFirstQuery);
    if (!offset) return false;
    seek(id, *offset);
    state.position = -1;
    state.ended = state.at_end = false;
    state.refused_since.reset();
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
                        .connection = client_->statistics(),
                        .errors = client_->error_counts()};
  if (const Clock::rep at = last_message_at_) {
    statistics.since_last_message = Clock::now().time_since_epoch() - Clock::duration(at);
  }
  rd_kafka_topic_partition_list_t* assigned = nullptr;
  if (rd_kafka_assignment(client_->handle(), &assigned) != RD_KAFKA_RESP_ERR_NO_ERROR) return statistics;
  const kafka::Partitions list(assigned);
  rd_kafka_position(client_->handle(), list.get());
  for (int i = 0; i < list->cnt; ++i) {
    const auto& entry = list->elems[i];
    std::int64_t low = 0;
    std::int64_t high = 0;
    // Known from the last fetch, nobody is asked.
    if (rd_kafka_get_watermark_offsets(client_->handle(), entry.topic, entry.partition, &low, &high) !=
            RD_KAFKA_RESP_ERR_NO_ERROR ||
        entry.offset < 0 || high < 0) {
      continue;
    }
    statistics.lag[std::string(entry.topic) + "-" + std::to_string(entry.partition)] =
        std::max<std::int64_t>(0, high - entry.offset);
  }
  return statistics;
}

}  // namespace gkv
