#include "frame_consumer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <thread>
#include <utility>

namespace gkv {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kFetchBytes = 1024 * 1024;  ///< of one partition in one fetch, unless a message is larger
constexpr std::size_t kHeldShare = 8;
constexpr std::size_t kMaxSources = 1000;
constexpr milliseconds kForever(-1);     ///< set_flushing() wakes
constexpr milliseconds kDrainLimit(20);  ///< where the fetcher brings old messages faster than they are looked at
constexpr milliseconds kLongPause(200);  ///< downstream took so long that librdkafka's own queue may be stale
constexpr milliseconds kWatermarkTimeout(40);
constexpr milliseconds kCatchUpPoll(20);
constexpr milliseconds kCatchUpLimit(300);
constexpr std::int64_t kBacklog = 64;  ///< messages read again after a pause, for each source to be among them
constexpr milliseconds kCommitInterval(1000);
constexpr milliseconds kCommitTimeout(500);
constexpr int kCommitTimeoutMs = static_cast<int>(kCommitTimeout.count());

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
      {"group.id", settings.group_id.empty() ? "gst-kafka-vision" : settings.group_id},  // librdkafka asks for one
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", live || settings.start_offset == StartOffset::kLatest ? "latest" : "earliest"},
      {"allow.auto.create.topics", "false"},
      {"max.poll.interval.ms", "86400000"},
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "500"},
      {"socket.nagle.disable", "true"},
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

std::size_t configured_fetch_bytes(rd_kafka_t* handle) {
  std::array<char, 32> text{};
  std::size_t size = text.size();
  std::size_t bytes = kFetchBytes;
  if (rd_kafka_conf_get(rd_kafka_conf(handle), "fetch.message.max.bytes", text.data(), &size) == RD_KAFKA_CONF_OK) {
    std::from_chars(text.data(), text.data() + size - 1, bytes);
  }
  return bytes;
}

}  // namespace

std::vector<HeaderView> ReceivedFrame::headers() const {
  std::vector<HeaderView> views;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(message_.get(), &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return views;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    views.push_back({name, {static_cast<const char*>(value), value ? size : 0}});
  }
  return views;
}

KafkaPosition ReceivedFrame::position() const {
  rd_kafka_timestamp_type_t type{};
  const std::int64_t timestamp = rd_kafka_message_timestamp(message_.get(), &type);
  return {.topic = rd_kafka_topic_name(message_->rkt),
          .partition = message_->partition,
          .offset = message_->offset,
          .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp};
}

FrameConsumer::FrameConsumer(Settings settings, kafka::Events events)
    : settings_(std::move(settings)), newest_(kMaxSources) {
  auto client =
      std::make_unique<kafka::Client>(RD_KAFKA_CONSUMER, make_conf(), settings_.topic, std::move(events), this);
  client_ = {client.release(), bury};
  fetch_bytes_ = configured_fetch_bytes(client_->handle());
}

std::shared_ptr<FrameConsumer> FrameConsumer::start(Settings settings, kafka::Events events) {
  std::shared_ptr<FrameConsumer> self(new FrameConsumer(std::move(settings), std::move(events)));
  std::thread([self] { self->connect(); }).detach();
  return self;
}

void FrameConsumer::stop() {
  stop_ = true;
  while (newest_.take()) {
  }
  if (progress_.lock()->phase != Phase::kReading) return;
  commit(true);
  rd_kafka_consumer_close(client_->handle());
}

FrameConsumer::~FrameConsumer() {
  if (client_.use_count() == 1) client_->destroy();
}

kafka::Conf FrameConsumer::make_conf() const {
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
  const auto readiness = client_->wait_for_topics({settings_.topic}, settings_.connect_timeout, stop_, found);
  const bool ready = readiness == kafka::Client::Readiness::kReady;
  *progress_.lock() = {.phase = ready ? Phase::kConnected : Phase::kFailed,
                       .partitions = ready ? found[0].partitions : 0};
  progressed_.notify_all();
}

void FrameConsumer::begin_reading(int partitions) {
  rd_kafka_poll_set_consumer(client_->handle());
  const kafka::Partitions list(rd_kafka_topic_partition_list_new(partitions));
  auto error = RD_KAFKA_RESP_ERR_NO_ERROR;
  if (!settings_.group_id.empty()) {
    rd_kafka_topic_partition_list_add(list.get(), settings_.topic.c_str(), RD_KAFKA_PARTITION_UA);
    error = rd_kafka_subscribe(client_->handle(), list.get());
  } else {
    for (int partition = 0; partition < partitions; ++partition) {
      rd_kafka_topic_partition_list_add(list.get(), settings_.topic.c_str(), partition)->offset = start_position();
    }
    error = rd_kafka_assign(client_->handle(), list.get());
  }
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) client_->fail(error, {});
}

std::int64_t FrameConsumer::start_position() const {
  const bool stream_in_group = settings_.mode == ReadMode::kStream && !settings_.group_id.empty();
  switch (settings_.start_offset) {
    case StartOffset::kLatest: return RD_KAFKA_OFFSET_END;
    case StartOffset::kEarliest: return RD_KAFKA_OFFSET_BEGINNING;
    case StartOffset::kCommitted: return RD_KAFKA_OFFSET_STORED;
    case StartOffset::kAuto: break;
  }
  return stream_in_group ? RD_KAFKA_OFFSET_STORED : RD_KAFKA_OFFSET_END;
}

void FrameConsumer::on_rebalance(rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t* partitions) {
  rd_kafka_t* handle = client_->handle();
  const bool assigned = event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  if (!assigned) commit(true);  // whoever gets the partitions goes on from there
  for (int i = 0; i < partitions->cnt; ++i) {
    if (assigned) partitions->elems[i].offset = start_position();
    positions_.erase(partitions->elems[i].partition);
    acknowledged_.erase(partitions->elems[i].partition);
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

bool FrameConsumer::may_be_held(const ReceivedFrame& frame) const {
  return frame.payload().size() * kHeldShare >= fetch_bytes_;
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

bool FrameConsumer::wait_until_reading() {
  int partitions = 0;
  {
    auto progress = progress_.lock();
    progress.wait(progressed_, [&] { return flushing_ || progress->phase != Phase::kConnecting; });
    if (flushing_ || progress->phase == Phase::kFailed) return false;
    if (progress->phase == Phase::kReading) return true;
    progress->phase = Phase::kReading;
    partitions = progress->partitions;
  }
  begin_reading(partitions);
  return !failed();
}

std::optional<ReceivedFrame> FrameConsumer::next() {
  if (!wait_until_reading()) return std::nullopt;
  return settings_.mode == ReadMode::kLatestOffset ? next_newest() : next_in_order();
}

std::optional<ReceivedFrame> FrameConsumer::next_in_order() {
  if (returned_ && !settings_.group_id.empty()) acknowledged_[returned_->partition] = returned_->offset + 1;
  returned_.reset();
  while (!flushing_ && !failed()) {
    commit(false);
    if (auto frame = poll(acknowledged_.empty() ? kForever : kCommitInterval)) {
      returned_ = frame->position();
      return frame;
    }
  }
  return std::nullopt;
}

/// Waits for one message. @return nullopt on time-out, when woken, and for what is no message
std::optional<ReceivedFrame> FrameConsumer::poll(milliseconds timeout) {
  rd_kafka_message_t* message = rd_kafka_consumer_poll(client_->handle(), static_cast<int>(timeout.count()));
  if (!message) return std::nullopt;
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const kafka::Message error(message);
    if (error->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return std::nullopt;
    client_->saw_error(error->err, rd_kafka_message_errstr(error.get()));
    return std::nullopt;
  }
  client_->saw_success();
  positions_[message->partition] = message->offset + 1;
  return ReceivedFrame(client_, message);
}

std::optional<ReceivedFrame> FrameConsumer::next_newest() {
  if (returned_at_ && Clock::now() - *returned_at_ > kLongPause) catch_up();
  while (!flushing_ && !failed()) {
    drain();
    if (auto frame = newest_.take()) {
      returned_at_ = Clock::now();
      return frame;
    }
    if (auto frame = poll(kForever)) put(std::move(*frame));
  }
  return std::nullopt;
}

void FrameConsumer::drain() {
  const auto deadline = Clock::now() + kDrainLimit;
  while (!flushing_ && !failed() && Clock::now() < deadline) {
    auto frame = poll(milliseconds(0));
    if (!frame) return;
    put(std::move(*frame));
  }
}

void FrameConsumer::put(ReceivedFrame frame) {
  const std::string key = frame.key();
  const std::string source = key.empty() ? "partition " + std::to_string(frame.position().partition) : key;
  if (newest_.put(source, std::move(frame))) ++skipped_;
}

/// After a pause, librdkafka's own queue is full of old messages and its fetcher asleep; asking for the topic's end
/// wakes it. What lies further back than kBacklog is passed over, the rest is read up to the end that was asked for.
void FrameConsumer::catch_up() {
  drain();
  const kafka::Partitions seeks(rd_kafka_topic_partition_list_new(1));
  for (auto& [partition, position] : positions_) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    if (flushing_ ||
        rd_kafka_query_watermark_offsets(client_->handle(), settings_.topic.c_str(), partition, &low, &high,
                                         static_cast<int>(kWatermarkTimeout.count())) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return;
    }
    high_marks_[partition] = high;
    if (high - position <= kBacklog) continue;
    skipped_ += static_cast<std::uint64_t>(high - kBacklog - position);
    position = high - kBacklog;
    rd_kafka_topic_partition_list_add(seeks.get(), settings_.topic.c_str(), partition)->offset = position;
  }
  if (seeks->cnt > 0) {
    const kafka::Error error(rd_kafka_seek_partitions(client_->handle(), seeks.get(), 0));
  }
  const auto deadline = Clock::now() + kCatchUpLimit;
  while (is_behind() && !flushing_ && Clock::now() < deadline) {
    if (auto frame = poll(kCatchUpPoll)) put(std::move(*frame));
  }
}

bool FrameConsumer::is_behind() const {
  return std::any_of(positions_.begin(), positions_.end(), [&](const auto& entry) {
    const auto high = high_marks_.find(entry.first);
    return high != high_marks_.end() && entry.second < high->second;
  });
}

/// Commits what has been dealt with: at most once in an interval, and at the end.
void FrameConsumer::commit(bool at_end) {
  const auto now = Clock::now();
  if (acknowledged_.empty() || (!at_end && now - committed_at_ < kCommitInterval)) return;
  committed_at_ = now;
  const kafka::Partitions list(rd_kafka_topic_partition_list_new(1));
  for (const auto& [partition, offset] : acknowledged_) {
    rd_kafka_topic_partition_list_add(list.get(), settings_.topic.c_str(), partition)->offset = offset;
  }
  acknowledged_.clear();
  if (!at_end) {
    rd_kafka_commit(client_->handle(), list.get(), 1);
    return;
  }
  const kafka::Queue answer(rd_kafka_queue_new(client_->handle()));
  if (rd_kafka_commit_queue(client_->handle(), list.get(), answer.get(), nullptr, nullptr) ==
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (rd_kafka_event_t* event = rd_kafka_queue_poll(answer.get(), kCommitTimeoutMs)) rd_kafka_event_destroy(event);
  }
}

}  // namespace gkv
