#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
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

/// A producer or consumer handle with its errors put into words: an outage is one warning and one message at its end,
/// however often librdkafka tries.
class Client {
 public:
  enum class Readiness { kReady, kFailed, kStopped };

  /// Makes no connection yet.
  /// @param conf  may hold callbacks of the caller; its opaque becomes `opaque`
  /// @param topic  what errors name
  /// @throws Failure when librdkafka refuses the configuration
  Client(rd_kafka_type_t type, Conf conf, std::string topic, Events events, void* opaque);

  rd_kafka_t* handle() const { return handle_.get(); }
  /// The caller's own, for librdkafka's callbacks.
  static void* opaque(rd_kafka_t* handle);
  const Peer& peer() const { return peer_; }

  /// Waits until each topic exists and has a leader for each partition. Blocks for up to 0.6 s after `stop` is set.
  /// A broker or topic that is not there yet is a warning, after `timeout` an error.
  /// @param topics  names, or regular expressions (POSIX extended, as librdkafka takes them) that begin with ^
  /// @param timeout  0: no limit
  /// @param found  out: the topics, each once; those of an expression are at least one
  Readiness wait_for_topics(const std::vector<std::string>& topics, std::chrono::milliseconds timeout,
                            const std::atomic<bool>& stop, std::vector<TopicSize>& found);

  /// Looks once, for what has changed since.
  /// @return an error; `found` is unchanged then
  rd_kafka_resp_err_t look_for_topics(const std::vector<std::string>& topics, std::chrono::milliseconds timeout,
                                      std::vector<TopicSize>& found);

  /// To be called with what a message or a report says.
  void saw_error(rd_kafka_resp_err_t error, const std::string& words);
  void saw_success();
  /// Reports an error after which nothing goes any more; the first one counts.
  void fail(rd_kafka_resp_err_t error, const std::string& words);
  void fail(const Failure& failure);

  /// @return whether no broker or topic could be reached when last tried
  bool in_outage() const { return outage_; }

  /// @return whether an error was reported; nothing goes any more
  bool failed() const { return failed_; }

  /// How often each error was seen since the start, by librdkafka's name of it.
  std::map<std::string, std::uint64_t> error_counts();
  /// As of the last second; all 0 where librdkafka has not told yet.
  Statistics statistics();

  /// Destroys the handle now; blocks until each message of it has been freed.
  void destroy() { handle_.reset(); }

 private:
  void warn_of_outage(rd_kafka_resp_err_t error, const std::string& words);
  void warn(rd_kafka_resp_err_t error, const std::string& words);

  void count(rd_kafka_resp_err_t error);
  static int on_statistics(rd_kafka_t* handle, char* json, std::size_t size, void* opaque);
  static void on_error(rd_kafka_t* handle, int error, const char* words, void* opaque);
  static void on_log(const rd_kafka_t* handle, int severity, const char* facility, const char* text);

  Peer peer_;
  Events events_;
  void* opaque_;
  std::atomic<bool> outage_{false};
  std::atomic<bool> failed_{false};
  Guarded<std::map<rd_kafka_resp_err_t, Complaint>> complaints_;
  std::atomic<bool> was_connected_{false};
  Guarded<std::map<std::string, std::uint64_t>> error_counts_;
  Guarded<std::string> statistics_;  ///< JSON, read when somebody asks
  Guarded<std::string> last_words_;  ///< of the newest connection error, which a time-out alone does not tell
  Handle handle_;                    ///< last: its callbacks use what stands above
};

}  // namespace gkv::kafka
