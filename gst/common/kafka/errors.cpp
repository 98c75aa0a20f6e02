#include "common/kafka/errors.h"

namespace gkv::kafka {
namespace {

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

// The first release whose SCRAM Kafka 4 takes (https://github.com/confluentinc/librdkafka/issues/4895).
constexpr int kScramForKafka4 = 0x020601ff;

std::string no_answer(const std::string& words, const Peer& peer) {
  if (contains(words, "security.protocol")) {
    return "The Kafka broker at " + peer.bootstrap_servers +
           " closes the connection; check the property bootstrap-servers, and security.protocol in the property config "
           "or config-file.";
  }
  return "No Kafka broker answers at " + peer.bootstrap_servers + "; check the property bootstrap-servers.";
}

std::string tls_failed(const std::string& words, const Peer& peer) {
  const std::string begin = "TLS with the Kafka broker at " + peer.bootstrap_servers + " failed";
  const std::string end = " in the property config or config-file.";
  if (contains(words, "certificate verify failed")) {
    return begin + ": its certificate is not trusted or is for another host name; check ssl.ca.location" + end;
  }
  if (contains(words, "alert")) {
    return begin + ": it refuses the client's certificate; check ssl.certificate.location and ssl.key.location" + end;
  }
  return begin + "; check the port in the property bootstrap-servers, and security.protocol and the ssl.* keys" + end;
}

std::string user_refused(const Peer& peer) {
  std::string text = "The Kafka broker at " + peer.bootstrap_servers +
                     " refuses the user; check sasl.username, sasl.password and sasl.mechanisms in the property config "
                     "or config-file";
  if (contains(peer.sasl_mechanism, "SCRAM") && rd_kafka_version() < kScramForKafka4) {
    text += ". Where they are right: librdkafka " + std::string(rd_kafka_version_str()) +
            " cannot log in to Kafka 4 with SCRAM; use PLAIN or librdkafka 2.6.1";
  }
  return text + ".";
}

std::string unsupported(const Peer& peer) {
  return "The Kafka brokers at " + peer.bootstrap_servers +
         " are too old for what the configuration asks of them, such as enable.idempotence (kafkasink's "
         "delivery=lossless); upgrade them or change the property config.";
}

std::string sentence(rd_kafka_resp_err_t error, const std::string& words, const Peer& peer) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__RESOLVE:
      return "The name of the Kafka broker in " + peer.bootstrap_servers +
             " could not be resolved; check the property bootstrap-servers.";
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE: return no_answer(words, peer);
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
      return "No Kafka broker answers at " + peer.bootstrap_servers +
             "; check the property bootstrap-servers, and that this machine reaches the brokers' advertised.listeners.";
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
      return "Too few of the Kafka brokers at " + peer.bootstrap_servers + " are there for the topic \"" + peer.topic +
             "\"; check the brokers.";
    case RD_KAFKA_RESP_ERR__SSL: return tls_failed(words, peer);
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED: return user_refused(peer);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      return "The topic \"" + peer.topic + "\" does not exist on the Kafka broker at " + peer.bootstrap_servers +
             "; create it or correct the property topic.";
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return "The topic \"" + peer.topic + "\" on the Kafka broker at " + peer.bootstrap_servers +
             " does not have the partition that is asked for; correct the property partition (kafkasink) or partitions "
             "(kafkasrc).";
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
      return "The Kafka broker at " + peer.bootstrap_servers + " refuses the timestamp of a frame for the topic \"" +
             peer.topic +
             "\"; set the clock of the camera right, or set the property timestamp=now, or raise "
             "message.timestamp.after.max.ms and message.timestamp.before.max.ms of the topic.";
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT: return unsupported(peer);
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return "The Kafka broker at " + peer.bootstrap_servers +
             " does not allow the user to write with an idempotent producer (kafkasink's delivery=lossless); change "
             "the property delivery, the user in the property config or the broker's ACLs.";
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
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
      return "The members of the consumer group share the partitions in another way; set the property assignor to "
             "theirs, such as range, or another group-id.";
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
      return "Another member of the consumer group has the same group.instance.id; change it in the property config.";
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
      return "The pipeline took so long with a frame that the consumer group went on without this reader; raise "
             "max.poll.interval.ms in the property config.";
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return "A frame is larger than a message may be; raise the property max-message-bytes, and on the broker "
             "max.message.bytes of the topic \"" +
             peer.topic + "\".";
    default:
      return "Kafka at " + peer.bootstrap_servers + " reports an error for the topic \"" + peer.topic +
             "\"; check the properties bootstrap-servers, topic and config.";
  }
}

}  // namespace

Failure to_failure(rd_kafka_resp_err_t error, const std::string& words, const Peer& peer) {
  std::string detail = std::string(rd_kafka_err2name(error)) + ": " + rd_kafka_err2str(error);
  if (!words.empty()) detail += ": " + words;
  return Failure(sentence(error, words, peer), detail);
}

rd_kafka_resp_err_t refined(rd_kafka_resp_err_t error, const std::string& words) {
  const bool tls = contains(words, "SSL handshake") || contains(words, "certificate");
  if (error == RD_KAFKA_RESP_ERR__TRANSPORT && tls) return RD_KAFKA_RESP_ERR__SSL;
  const bool broke = contains(words, "Local: Broker transport failure") || contains(words, "imed out") ||
                     contains(words, "Disconnected") || contains(words, "disconnected");
  return error == RD_KAFKA_RESP_ERR__AUTHENTICATION && broke ? RD_KAFKA_RESP_ERR__TRANSPORT : error;
}

bool is_outage(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND: return true;
    default: return false;
  }
}

bool is_unknown(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
         error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
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
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
    case RD_KAFKA_RESP_ERR__FATAL: return true;
    default: return false;
  }
}

}  // namespace gkv::kafka
