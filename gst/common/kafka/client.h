#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/complaint.h"
#include "common/failure.h"
#include "common/glue/guarded.h"
#include "common/kafka/config.h"
#include "common/kafka/errors.h"
#include "common/kafka/handles.h"

namespace gkv::kafka {

/// What an element wants to hear. Called on the thread that polls, `log` on any thread.
struct Events {
  std::function<void(const Failure&)> error;         ///< nothing goes any more
  std::function<void(const Failure&)> warning;       ///< something is wrong that may pass
  std::function<void(const std::string&)> info;      ///< what was wrong has passed
  std::function<void(int, const std::string&)> log;  ///< librdkafka's log: syslog severity (0 to 7), text
};

/// A producer or consumer handle with its errors put into words: an outage is one warning and one message at its end,
/// however often librdkafka tries.
class Client {
 public:
  enum class Readiness { kReady, kFailed, kStopped };

  /// Makes no connection yet.
  /// @param conf  may hold callbacks of the caller; its opaque becomes `opaque`
  /// @throws Failure when librdkafka refuses the configuration
  Client(rd_kafka_type_t type, Conf conf, Peer peer, Events events, void* opaque);

  rd_kafka_t* handle() const { return handle_.get(); }
  /// The caller's own, for librdkafka's callbacks.
  static void* opaque(rd_kafka_t* handle);
  const Peer& peer() const { return peer_; }

  /// Waits until the topic exists and has a leader for each partition. Blocks for up to 0.6 s after `stop` is set.
  /// A broker or topic that is not there yet is a warning, after `timeout` an error.
  /// @param timeout  0: no limit
  /// @param partitions  out: the topic's number of partitions
  Readiness wait_for_topic(std::chrono::milliseconds timeout, const std::atomic<bool>& stop, int& partitions);

  /// To be called with what a message or a report says.
  void saw_error(rd_kafka_resp_err_t error, const std::string& words);
  void saw_success();
  /// Reports an error after which nothing goes any more; the first one counts.
  void fail(rd_kafka_resp_err_t error, const std::string& words);

  /// @return whether no broker or topic could be reached when last tried
  bool in_outage() const { return outage_; }

  /// @return whether an error was reported; nothing goes any more
  bool failed() const { return failed_; }

  /// Destroys the handle now; blocks until each message of it has been freed.
  void destroy() { handle_.reset(); }

 private:
  struct Check {
    rd_kafka_resp_err_t error;
    int partitions;
  };
  Check check_topic(std::chrono::milliseconds timeout);
  void warn_of_outage(rd_kafka_resp_err_t error, const std::string& words);
  void warn(rd_kafka_resp_err_t error, const std::string& words);

  static void on_error(rd_kafka_t* handle, int error, const char* words, void* opaque);
  static void on_log(const rd_kafka_t* handle, int severity, const char* facility, const char* text);

  Peer peer_;
  Events events_;
  void* opaque_;
  std::atomic<bool> outage_{false};
  std::atomic<bool> failed_{false};
  Guarded<std::map<rd_kafka_resp_err_t, Complaint>> complaints_;
  Guarded<std::string> last_words_;  ///< of the newest connection error, which a time-out alone does not tell
  Handle handle_;                    ///< last: its callbacks use what stands above
};

}  // namespace gkv::kafka
