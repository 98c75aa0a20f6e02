#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include "common/kafka/client.h"
#include "topic_admin.h"

namespace gkv {

/// What must be there before frames can be written.
struct WantedTopic {
  std::string name;
  int partition = RD_KAFKA_PARTITION_UA;  ///< the only one that is written; RD_KAFKA_PARTITION_UA: each
  std::optional<NewTopic> create;         ///< nullopt: the topic must be there
  std::chrono::milliseconds timeout{0};   ///< 0: no limit
};

/// Creates the topic where that is wanted, and waits until it can be written. What is wrong is told by the client.
/// @return false: it failed, or `stop` was set
bool wait_until_writable(kafka::Client& client, const WantedTopic& wanted, const std::atomic<bool>& stop);

/// What is to be done after an attempt to create a topic.
enum class Creation {
  kLookForTopic,  ///< it is there; or who may not create may still write to what is there
  kTryAgain,
  kImpossible,
};
Creation after_creation(rd_kafka_resp_err_t error);

}  // namespace gkv
