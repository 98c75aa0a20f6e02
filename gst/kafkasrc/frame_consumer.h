#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/frame/headers.h"
#include "common/glue/guarded.h"
#include "common/kafka/client.h"
#include "newest_frames.h"

namespace gkv {

/// A message as it was fetched. It keeps librdkafka's fetch response alive, and the client with it.
class ReceivedFrame {
 public:
  ReceivedFrame(std::shared_ptr<kafka::Client> client, rd_kafka_message_t* message)
      : client_(std::move(client)), message_(message) {}

  /// The message's value; empty for a tombstone.
  std::span<const std::byte> payload() const {
    return {static_cast<const std::byte*>(message_->payload), message_->payload ? message_->len : 0};
  }
  std::string key() const {
    return message_->key ? std::string(static_cast<const char*>(message_->key), message_->key_len) : std::string();
  }
  /// Valid as long as the frame.
  std::vector<HeaderView> headers() const;
  KafkaPosition position() const;

 private:
  std::shared_ptr<kafka::Client> client_;  ///< first: outlives the message
  kafka::Message message_;
};

/// Which frames next() gives.
enum class ReadMode {
  kLatestOffset,  ///< continuously the newest of each source
  kStream,        ///< every message
};

/// Where reading starts.
enum class StartOffset {
  kAuto,       ///< committed for a group in ReadMode::kStream, else latest
  kLatest,     ///< messages that come from now on
  kEarliest,   ///< the oldest that the broker still has
  kCommitted,  ///< where the group stopped reading; earliest where it never read
};

/// Reads frames from a topic. next() and stop() belong to one thread at a time; a thread of its own looks for the
/// broker and the topic, for librdkafka's calls for that cannot be cancelled.
class FrameConsumer : public std::enable_shared_from_this<FrameConsumer> {
 public:
  struct Settings {
    kafka::Config config;
    std::string topic;
    std::string group_id;  ///< empty: no group, reads all partitions
    ReadMode mode = ReadMode::kLatestOffset;
    StartOffset start_offset = StartOffset::kAuto;
    std::chrono::milliseconds connect_timeout;  ///< 0: no limit
  };

  /// Starts to look for the broker. To be ended with stop().
  /// @throws Failure for a configuration that librdkafka refuses
  static std::shared_ptr<FrameConsumer> start(Settings settings, kafka::Events events);
  ~FrameConsumer();

  /// Commits what has been dealt with and leaves the group. Nothing may be called after it.
  void stop();

  /// Waits for the next frame. In a group, asking for it says that the one before has been dealt with.
  /// @return nullopt when flushing, or after an error that was reported to the events
  std::optional<ReceivedFrame> next();

  /// Wakes next() and keeps it from waiting.
  void set_flushing(bool flushing);

  /// Frames that ReadMode::kLatestOffset passed over because newer ones were there.
  std::uint64_t skipped() const { return skipped_; }
  bool failed() const { return client_->failed(); }

  /// @return whether holding the frame keeps no more than eight times its size in memory
  bool may_be_held(const ReceivedFrame& frame) const;

 private:
  enum class Phase { kConnecting, kConnected, kReading, kFailed };
  struct Progress {
    Phase phase = Phase::kConnecting;
    int partitions = 0;
  };
  using Clock = std::chrono::steady_clock;

  FrameConsumer(Settings settings, kafka::Events events);
  kafka::Conf make_conf() const;
  void connect();
  void begin_reading(int partitions);
  void on_rebalance(rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t* partitions);
  std::int64_t start_position() const;
  bool wait_until_reading();
  std::optional<ReceivedFrame> poll(std::chrono::milliseconds timeout);
  std::optional<ReceivedFrame> next_in_order();
  std::optional<ReceivedFrame> next_newest();
  void drain();
  void put(ReceivedFrame frame);
  void catch_up();
  bool is_behind() const;
  void commit(bool at_end);

  const Settings settings_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> flushing_{false};
  std::atomic<std::uint64_t> skipped_{0};
  Guarded<Progress> progress_;
  std::condition_variable progressed_;
  std::shared_ptr<kafka::Client> client_;
  std::size_t fetch_bytes_;  ///< what one fetch may bring of a partition, unless a message is larger

  // What follows belongs to the thread of next().
  NewestFrames<ReceivedFrame> newest_;
  std::map<int, std::int64_t> positions_;   ///< by partition: the offset after the last one read
  std::map<int, std::int64_t> high_marks_;  ///< by partition: the topic's end when it was last asked for
  std::optional<Clock::time_point> returned_at_;
  std::optional<KafkaPosition> returned_;     ///< what next() returned last
  std::map<int, std::int64_t> acknowledged_;  ///< by partition: the offset to be committed
  Clock::time_point committed_at_{};
};

}  // namespace gkv
