#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/complaint.h"
#include "common/glue/guarded.h"
#include "common/kafka/client.h"
#include "newest_frames.h"
#include "offset_repair.h"
#include "offsets.h"
#include "partition_table.h"
#include "received_frame.h"

namespace gkv {

/// Which frames next() gives.
enum class ReadMode {
  kLatestOffset,  ///< continuously the newest of each source
  kStream,        ///< every message
};

/// When what was dealt with is committed, in a consumer group.
enum class Commit {
  kInterval,  ///< once in an interval
  kPushed,    ///< after each frame
  kNone,
};

/// Reads frames from topics. next(), seek() and stop() belong to one thread at a time. Questions to the broker are
/// asked on threads of their own, for librdkafka's calls for that cannot be cancelled.
class FrameConsumer : public std::enable_shared_from_this<FrameConsumer> {
 public:
  struct Settings {
    kafka::Config config;
    std::vector<std::string> topics;  ///< names, or regular expressions that begin with ^
    std::vector<int> partitions;      ///< empty: all. Not with a group
    ReadMode mode = ReadMode::kLatestOffset;
    StartOffset start;
    StopAt stop;
    Commit commit = Commit::kInterval;
    std::chrono::milliseconds commit_interval{1000};
    /// kLatestOffset: how far back it goes to find each source's newest frame when it cannot keep up.
    std::chrono::milliseconds max_age{2000};
    std::vector<std::string> source_filter;     ///< with the wildcards * and ?; empty: all
    std::size_t max_bytes_held = 0;             ///< of fetch responses that frames keep
    std::chrono::milliseconds connect_timeout;  ///< 0: no limit
  };
  struct Counts {
    std::uint64_t messages = 0, bytes = 0;
    std::uint64_t skipped = 0;   ///< passed over, for newer ones were there
    std::uint64_t filtered = 0;  ///< of other sources
    std::uint64_t lost = 0;      ///< deleted by the broker before they were read
    std::uint64_t rebalances = 0;
  };
  struct Statistics {
    Counts counts;
    std::size_t bytes_held = 0;
    std::size_t queue_messages = 0, max_queue_bytes = 0;         ///< fetched ahead by librdkafka
    std::map<std::string, std::int64_t> lag;                     ///< by `TOPIC-PARTITION`
    std::optional<std::chrono::nanoseconds> since_last_message;  ///< nullopt: none came
    kafka::Statistics connection;
    std::map<std::string, std::uint64_t> errors;  ///< by librdkafka's name of it
  };

  enum class Outcome { kFrame, kFlushing, kFailed, kEnd };

  /// Makes no connection. @throws Failure for settings that contradict each other or that librdkafka refuses
  static void check(const Settings& settings);

  /// Starts to look for the broker. To be ended with stop().
  /// @throws Failure for a configuration that librdkafka refuses
  static std::shared_ptr<FrameConsumer> start(Settings settings, kafka::Events events);
  ~FrameConsumer();

  /// Commits what has been dealt with and leaves the group. Nothing may be called after it.
  void stop();

  /// Waits for the next frame. Asking for it says that the one before has been dealt with.
  /// @param frame  out: with Outcome::kFrame
  Outcome next(std::optional<ReceivedFrame>& frame);

  /// Goes on with the first messages that have this timestamp or a later one, at 0 with the oldest ones. Before reading
  /// has begun: begins there. Not with a group.
  /// @return false in a group, where no broker answers, and when flushing
  bool seek(std::int64_t time_ms);

  /// Wakes next() and keeps it from waiting.
  void set_flushing(bool flushing);

  /// Holds the frame's fetch response, where that is no more than sixteen times as large and the bytes held stay below
  /// the limit. @return false: the frame is to be copied
  bool hold(ReceivedFrame& frame) const;

  /// From any thread.
  Statistics statistics() const;
  std::uint64_t skipped() const { return skipped_; }
  std::uint64_t lost() const { return lost_; }
  std::uint64_t rebalances() const { return rebalances_; }

 private:
  enum class Phase { kConnecting, kConnected, kReading, kFailed };
  struct Progress {
    Phase phase = Phase::kConnecting;
    kafka::Partitions assignment;                   ///< null in a group
    std::map<std::string, int> partitions;          ///< of each topic, when the broker was found
    std::map<PartitionId, std::int64_t> positions;  ///< as of a moment ago, for statistics()
  };
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kDoubtfulSilence{500};
  /// What a broker was asked, on a thread of its own.
  template <typename T>
  struct Answer {
    std::atomic<bool> given{false};
    T value;
  };
  template <typename T>
  using AnswerPtr = std::shared_ptr<Answer<T>>;
  /// What was found out of partitions.
  struct Inspection {
    Offsets low, high, first;
    Offsets again;                               ///< what was asked for as a reference before
    std::map<PartitionId, std::int64_t> newest;  ///< timestamps of new references
    Offsets references;
  };

  FrameConsumer(Settings settings, kafka::Events events);
  kafka::Conf make_conf();
  bool in_group() const { return !group_id_.empty(); }
  bool reads_latest() const { return settings_.mode == ReadMode::kLatestOffset; }
  bool goes_on() const { return !flushing_ && !client_->failed(); }

  // Questions to the broker: librdkafka's calls cannot be cancelled, and what waits for them must be.
  template <typename Query>
  auto ask(Query query) -> AnswerPtr<decltype(query(std::declval<rd_kafka_t*>()))>;
  template <typename T>
  void wait_for(const Answer<T>& answer);
  template <typename Query>
  auto ask_and_wait(Query query) -> std::optional<decltype(query(std::declval<rd_kafka_t*>()))>;

  // assignment.cpp: which partitions are read, and from where.
  void connect();
  kafka::Partitions assignment_of(const std::vector<kafka::TopicSize>& found);
  bool is_new(const PartitionId& id);
  Offsets first_offsets(rd_kafka_t* handle, const std::vector<PartitionId>& ids) const;
  void begin_reading(kafka::Partitions assignment);
  void look_for_new_partitions();
  void on_rebalance(rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t* partitions);
  void on_assigned(rd_kafka_topic_partition_list_t* partitions);

  std::optional<Outcome> wait_until_reading();
  std::optional<ReceivedFrame> poll(std::chrono::milliseconds timeout);
  void on_error(const rd_kafka_message_t& message);
  void refuse(PartitionState& state);
  PartitionState* state_of(const rd_kafka_message_t& message);
  bool is_wanted(const ReceivedFrame& frame, PartitionState& state);
  bool seek_now(std::int64_t time_ms);
  bool has_ended() const;
  std::chrono::milliseconds patience() const;
  Outcome next_in_order(std::optional<ReceivedFrame>& frame);
  void wake_fetchers();

  // upkeep.cpp: what is due from time to time, whether messages come or not.
  void keep_house();
  void publish_positions();
  void inspect(Clock::time_point now);
  bool lacks_end(const PartitionState& state) const;
  bool is_silent(const PartitionState& state, Clock::time_point now) const;
  bool needs_reference(const PartitionState& state, Clock::time_point now) const;
  void apply(const Inspection& inspection);
  void find_end(PartitionState& state, const LogFacts& log);
  void repair_position(const PartitionId& id, PartitionState& state, const LogFacts& log);
  bool is_same_log(const PartitionId& id, Clock::time_point now);
  void restart_at_first_offset(const PartitionId& id, PartitionState& state, const Offsets& first);
  void go_on_in_other_log(const PartitionId& id, PartitionState& state, std::int64_t offset);
  void restart(const PartitionId& id, PartitionState& state, std::int64_t offset);
  void seek(const std::map<PartitionId, std::int64_t>& offsets);

  // newest_of_topic.cpp: ReadMode::kLatestOffset
  Outcome next_newest(std::optional<ReceivedFrame>& frame);
  bool drain();
  void put(ReceivedFrame frame);
  bool falls_behind();
  void catch_up();
  void pass_over_old(std::int64_t few);
  void pass_over(const std::map<PartitionId, std::int64_t>& targets);
  bool is_behind() const;

  // offset_commits.cpp
  void acknowledge();
  void commit(bool at_end);
  void on_commit(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t* partitions);

  const Settings settings_;
  std::string group_id_;  ///< empty: no group, reads all partitions
  std::shared_ptr<std::atomic<bool>> stop_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<std::atomic<bool>> topic_missed_ = std::make_shared<std::atomic<bool>>(false);
  std::atomic<bool> flushing_{false};
  mutable Guarded<Progress> progress_;
  std::condition_variable progressed_;
  std::atomic<std::uint64_t> messages_{0}, bytes_{0}, skipped_{0}, filtered_{0}, lost_{0}, rebalances_{0};
  std::atomic<Clock::rep> last_message_at_{0};  ///< 0: none came
  HeldBytes held_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::shared_ptr<kafka::Client> client_;
  kafka::Events events_;
  std::size_t fetch_bytes_ = 0;     ///< what one fetch may bring of a partition, unless a message is larger
  std::size_t response_bytes_ = 0;  ///< the same, of all partitions together
  std::size_t queue_bytes_ = 0, queue_messages_ = 0;  ///< what librdkafka fetches ahead
  std::atomic<std::size_t> partition_count_{1};

  // What follows belongs to the thread of next().
  NewestFrames<ReceivedFrame> newest_{{}};
  PartitionTable partitions_;
  const rd_kafka_topic_t* last_topic_ = nullptr;  ///< of last_state_, which is looked up with most messages
  int last_partition_ = -1;
  PartitionState* last_state_ = nullptr;
  bool polled_any_ = false;  ///< whether the last poll found anything, wanted or not
  std::optional<Clock::time_point> returned_at_;
  std::optional<PartitionId> returned_;  ///< what next() returned last
  std::int64_t returned_offset_ = 0;
  std::uint64_t messages_at_wake_ = 0, bytes_at_wake_ = 0;
  AnswerPtr<Inspection> inspection_;
  AnswerPtr<std::vector<kafka::TopicSize>> topics_;
  std::optional<std::int64_t> seek_time_ms_;  ///< to be sought when reading begins
  std::optional<Clock::time_point> behind_since_;
  Clock::time_point committed_at_{}, kept_house_at_{}, looked_at_{}, subscribed_at_{}, caught_up_at_{}, compared_at_{};
  std::chrono::milliseconds look_interval_{0};
  Complaint lost_complaint_;
};

/// Asks without waiting. The query gets the handle and runs on a thread of its own; next() is woken when it has an
/// answer.
template <typename Query>
auto FrameConsumer::ask(Query query) -> AnswerPtr<decltype(query(std::declval<rd_kafka_t*>()))> {
  auto answer = std::make_shared<Answer<decltype(query(std::declval<rd_kafka_t*>()))>>();
  std::thread([self = shared_from_this(), answer, query = std::move(query)] {
    rd_kafka_t* handle = self->client_->handle();
    answer->value = query(handle);
    {
      const auto progress = self->progress_.lock();  // who looks and waits does not miss it, nor is a close disturbed
      answer->given = true;
      const kafka::Queue queue(*self->stop_ ? nullptr : rd_kafka_queue_get_consumer(handle));
      if (queue) rd_kafka_queue_yield(queue.get());
    }
    self->progressed_.notify_all();
  }).detach();
  return answer;
}

/// Waits until an answer is given, or flushing.
template <typename T>
void FrameConsumer::wait_for(const Answer<T>& answer) {
  progress_.lock().wait(progressed_, [&] { return flushing_ || answer.given; });
}

/// @return nullopt when flushing
template <typename Query>
auto FrameConsumer::ask_and_wait(Query query) -> std::optional<decltype(query(std::declval<rd_kafka_t*>()))> {
  const auto answer = ask(std::move(query));
  wait_for(*answer);
  if (!answer->given) return std::nullopt;
  return answer->value;
}

}  // namespace gkv
