#include "topic_readiness.h"

#include <vector>

#include "common/failure.h"

namespace gkv {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kAdminTimeout(500);
constexpr milliseconds kAdminPause(100);

bool create(kafka::Client& client, const WantedTopic& wanted, const std::atomic<bool>& stop) {
  const auto begin = steady_clock::now();
  while (!stop) {
    std::string words;
    const auto error = create_topic(client.handle(), wanted.name, *wanted.create, kAdminTimeout, words);
    if (stop) return false;
    rd_kafka_poll(client.handle(), 0);  // serves the client's errors
    if (client.failed()) return false;
    switch (after_creation(error)) {
      case Creation::kLookForTopic: return true;
      case Creation::kTryAgain: break;
      case Creation::kImpossible:
        client.fail(Failure("The topic \"" + wanted.name +
                                "\" cannot be created; check the properties partitions and replication-factor and "
                                "what the broker allows, or create it in another way.",
                            std::string(rd_kafka_err2name(error)) + ": " + words));
        return false;
    }
    if (wanted.timeout.count() > 0 && steady_clock::now() - begin >= wanted.timeout) {
      client.fail(error, words);
      return false;
    }
    rd_kafka_poll(client.handle(), static_cast<int>(kAdminPause.count()));
  }
  return false;
}

bool partition_exists(kafka::Client& client, const WantedTopic& wanted, int partitions) {
  if (wanted.partition < partitions) return true;
  client.fail(Failure("The topic \"" + wanted.name + "\" has no partition " + std::to_string(wanted.partition) +
                          "; its partitions are 0 to " + std::to_string(partitions - 1) +
                          ": correct the property partition.",
                      "checked when connected"));
  return false;
}

}  // namespace

Creation after_creation(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED: return Creation::kLookForTopic;
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT: return Creation::kTryAgain;
    default: return kafka::is_outage(error) ? Creation::kTryAgain : Creation::kImpossible;
  }
}

bool wait_until_writable(kafka::Client& client, const WantedTopic& wanted, const std::atomic<bool>& stop) {
  if (wanted.create && !create(client, wanted, stop)) return false;
  std::vector<kafka::TopicSize> found;
  return client.wait_for_topics({wanted.name}, wanted.timeout, stop, found, wanted.partition) ==
             kafka::Client::Readiness::kReady &&
         partition_exists(client, wanted, found.front().partitions);
}

}  // namespace gkv
