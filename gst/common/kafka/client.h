#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/complaint.h"
#include "common/failure.h"
#include "common/glue/guarded.h"
#include "common/kafka/config.h"
#include "common/kafka/errors.h"
#include "common/kafka/handles.h"
#include "common/kafka/statistics.h"

namespace gkv::kafka {

/// What an element wants to hear. Called on the thread that polls, `log` on any thread.
struct Events {
  std::function<void(const Failure&)> error;         ///< nothing goes any more
  std::function<void(const Failure&)> warning;       ///< something is wrong that may pass
  std::function<void(const std::string&)> info;      ///< what was wrong has passed
  std::function<void(int, const std::string&)> log;  ///< librdkafka's log: syslog severity (0 to 7), text
  std::function<void(rd_kafka_resp_err_t)> seen;     ///< each error, however often it comes
  std::function<void()> fatal;                       ///< this handle is of no use any more, but a new one may be
};

/// A topic that is there.
struct TopicSize {
  std::string topic;
  int partitions = 0;
};

/// What a client that takes another's place goes on with: so an outage is told once, and counts do not fall.
struct ClientHistory {
  std::atomic<bool> outage{false};
  std::atomic<bool> was_connected{false};
  Guarded<std::map<rd_kafka_resp_err_t, Complaint>> complaints;
  Guarded<std::map<std::string, std::uint64_t>> error_counts;
  Guarded<StatisticsReader> statistics;
  Guarded<std::string> last_words;  ///< of the newest connection error, which a time-out alone does not tell
};

/// A producer or consumer handle with its errors put into words: an outage is one warning and one message at its end,
/// however often librdkafka tries.
class Client {
 public:
  enum class Readiness { kReady, kFailed, kStopped };

  /// Makes no connection yet.
  /// @param conf  may hold callbacks of the caller; its opaque becomes `opaque`
  /// @param topic  what errors name
  /// @param history  of the client whose place this one takes
  /// @throws Failure when librdkafka refuses the configuration
  Client(rd_kafka_type_t type, Conf conf, std::string topic, Events events, void* opaque,
         std::shared_ptr<ClientHistory> history = std::make_shared<ClientHistory>());

  rd_kafka_t* handle() const { return handle_.get(); }
  /// The caller's own, for librdkafka's callbacks.
  static void* opaque(rd_kafka_t* handle);
  const Peer& peer() const { return peer_; }
  const std::shared_ptr<ClientHistory>& history() const { return history_; }

  /// Waits until each topic exists and has a leader for each partition. Blocks for up to 0.6 s after `stop` is set.
  /// A broker or topic that is not there yet is a warning, after `timeout` an error.
  /// @param topics  names, or regular expressions (POSIX extended, as librdkafka takes them) that begin with ^
  /// @param timeout  0: no limit
  /// @param found  out: the topics, each once; those of an expression are at least one
  /// @param partition  the only one that must have a leader; RD_KAFKA_PARTITION_UA: each
  Readiness wait_for_topics(const std::vector<std::string>& topics, std::chrono::milliseconds timeout,
                            const std::atomic<bool>& stop, std::vector<TopicSize>& found,
                            int partition = RD_KAFKA_PARTITION_UA);

  /// Looks once, for what has changed since.
  /// @return an error; `found` is unchanged then
  rd_kafka_resp_err_t look_for_topics(const std::vector<std::string>& topics, std::chrono::milliseconds timeout,
                                      std::vector<TopicSize>& found, int partition = RD_KAFKA_PARTITION_UA);

  /// To be called with what a message or a report says.
  void saw_error(rd_kafka_resp_err_t error, const std::string& words);
  void saw_success();
  /// To be called when messages have been on their way for so long that their broker seems to be out of reach, though
  /// others answer: an outage.
  void saw_stall(std::chrono::seconds since);
  /// To be called when a broker that leads partitions has not answered a question. A warning, as an outage's.
  void saw_silence();
  /// Reports an error after which nothing goes any more; the first one counts.
  void fail(rd_kafka_resp_err_t error, const std::string& words);
  void fail(const Failure& failure);

  /// @return whether no broker or topic could be reached when last tried
  bool in_outage() const { return history_->outage; }

  /// @return whether an error was reported; nothing goes any more
  bool failed() const { return failed_; }

  /// How often each error was seen since the start, by librdkafka's name of it.
  std::map<std::string, std::uint64_t> error_counts();
  /// As of the last second; all 0 where librdkafka has not told yet, or what is no JSON: it does not escape client.id.
  Statistics statistics();

  /// Destroys the handle now; blocks until each message of it has been freed.
  void destroy() { handle_.reset(); }

 private:
  void warn_of_leader(const std::string& what);
  void warn_of_outage(rd_kafka_resp_err_t error, const std::string& words);
  void warn(rd_kafka_resp_err_t error, const std::string& words);

  void count(rd_kafka_resp_err_t error);
  static int on_statistics(rd_kafka_t* handle, char* json, std::size_t size, void* opaque);
  static void on_error(rd_kafka_t* handle, int error, const char* words, void* opaque);
  static void on_log(const rd_kafka_t* handle, int severity, const char* facility, const char* text);

  Peer peer_;
  Events events_;
  void* opaque_;
  std::shared_ptr<ClientHistory> history_;
  std::atomic<bool> failed_{false};
  Handle handle_;  ///< last: its callbacks use what stands above
};

}  // namespace gkv::kafka
