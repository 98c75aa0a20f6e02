#include "common/kafka/errors.h"

namespace gkv::kafka {
namespace {

std::string sentence(rd_kafka_resp_err_t error, const Peer& peer) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__RESOLVE:
      return "The name of the Kafka broker in " + peer.bootstrap_servers +
             " could not be resolved; check the property bootstrap-servers.";
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
      return "No Kafka broker answers at " + peer.bootstrap_servers + "; check the property bootstrap-servers.";
    case RD_KAFKA_RESP_ERR__SSL:
      return "TLS with the Kafka broker at " + peer.bootstrap_servers +
             " failed; check the ssl.* keys of the property config.";
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return "The Kafka broker at " + peer.bootstrap_servers +
             " refuses the user; check the sasl.* keys of the property config.";
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return "The topic \"" + peer.topic + "\" does not exist on the Kafka broker at " + peer.bootstrap_servers +
             "; create it or correct the property topic.";
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return "The topic \"" + peer.topic + "\" does not exist, and the Kafka broker at " + peer.bootstrap_servers +
             " cannot create it; create it or correct the property topic.";
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
      return "\"" + peer.topic + "\" cannot be the name of a Kafka topic; correct the property topic.";
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return "The Kafka broker at " + peer.bootstrap_servers + " denies access to the topic \"" + peer.topic +
             "\"; change the property topic, the user in the property config or the broker's ACLs.";
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      return "The Kafka broker at " + peer.bootstrap_servers +
             " denies access to the consumer group; change the property group-id or the broker's ACLs.";
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return "A frame is larger than a message may be; raise message.max.bytes in the property config and on the "
             "broker (max.message.bytes of the topic \"" +
             peer.topic + "\").";
    default:
      return "Kafka at " + peer.bootstrap_servers + " reports an error for the topic \"" + peer.topic +
             "\"; check the properties bootstrap-servers, topic and config.";
  }
}

}  // namespace

Failure to_failure(rd_kafka_resp_err_t error, const std::string& words, const Peer& peer) {
  std::string detail = std::string(rd_kafka_err2name(error)) + ": " + rd_kafka_err2str(error);
  if (!words.empty()) detail += ": " + words;
  return Failure(sentence(error, peer), detail);
}

bool is_outage(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT: return true;
    default: return false;
  }
}

bool is_permanent(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__FATAL: return true;
    default: return false;
  }
}

}  // namespace gkv::kafka
