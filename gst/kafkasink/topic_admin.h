#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "common/kafka/handles.h"

namespace gkv {

/// How a topic is to be made.
struct NewTopic {
  int partitions = 1;
  int replication_factor = -1;  ///< -1: the broker's default
};

/// Creates a topic, or finds that it is there.
/// @param words  out: what the broker says of an error
rd_kafka_resp_err_t create_topic(rd_kafka_t* handle, const std::string& name, const NewTopic& topic,
                                 std::chrono::milliseconds timeout, std::string& words);

/// The largest message that a topic takes (its max.message.bytes): asked for once, known when the broker has answered.
class TopicLimit {
 public:
  /// Does not wait.
  void ask(rd_kafka_t* handle, const std::string& topic);
  /// Looks for the answer without waiting. @return nullopt: not answered, or the broker does not tell
  std::optional<std::size_t> poll();

 private:
  kafka::Queue answers_;
};

}  // namespace gkv
