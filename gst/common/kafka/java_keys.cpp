#include "common/kafka/java_keys.h"

#include <map>
#include <string_view>

namespace gkv::kafka {
namespace {

// Kafka's configuration reference (https://kafka.apache.org/documentation/#configuration) beside librdkafka's
// CONFIGURATION.md: the keys that people carry over from Java's property files and that librdkafka has not.
const std::map<std::string_view, std::string_view>& replacements() {
  static const std::map<std::string_view, std::string_view> table = {
      {"sasl.jaas.config", "set sasl.username and sasl.password"},
      {"sasl.client.callback.handler.class", "leave it out"},
      {"sasl.login.callback.handler.class", "leave it out"},
      {"sasl.login.class", "leave it out"},
      {"sasl.oauthbearer.token.endpoint.uri", "set sasl.oauthbearer.token.endpoint.url"},
      {"ssl.truststore.location", "set ssl.ca.location, which takes a PEM file"},
      {"ssl.truststore.certificates", "set ssl.ca.pem"},
      {"ssl.truststore.password", "set ssl.ca.location, which takes a PEM file without a password"},
      {"ssl.truststore.type", "leave it out: ssl.ca.location takes a PEM file"},
      {"ssl.keystore.type",
       "leave it out: ssl.keystore.location takes a PKCS#12 file, and ssl.key.location and "
       "ssl.certificate.location take PEM files"},
      {"ssl.keystore.key", "set ssl.key.pem"},
      {"ssl.keystore.certificate.chain", "set ssl.certificate.pem"},
      {"ssl.protocol", "leave it out"},
      {"ssl.provider", "leave it out"},
      {"ssl.enabled.protocols", "leave it out"},
      {"ssl.keymanager.algorithm", "leave it out"},
      {"ssl.trustmanager.algorithm", "leave it out"},
      {"ssl.secure.random.implementation", "leave it out"},
      {"ssl.engine.factory.class", "leave it out"},
      {"key.serializer", "leave it out"},
      {"value.serializer", "leave it out"},
      {"key.deserializer", "leave it out"},
      {"value.deserializer", "leave it out"},
      {"interceptor.classes", "leave it out"},
      {"metric.reporters", "leave it out"},
      {"partitioner.class", "set partitioner"},
      {"max.request.size", "set message.max.bytes"},
      {"buffer.memory", "set queue.buffering.max.kbytes"},
      {"max.block.ms", "leave it out"},
      {"max.poll.records", "leave it out"},
      {"fetch.max.wait.ms", "set fetch.wait.max.ms"},
      {"metadata.max.idle.ms", "leave it out"},
      {"reconnect.backoff.jitter.ms", "leave it out"},
      {"default.api.timeout.ms", "leave it out"},
      {"exclude.internal.topics", "set topic.blacklist"},
      {"client.dns.lookup", "leave it out"},
      {"group.protocol", "leave it out"},
      {"send.buffer.bytes", "set socket.send.buffer.bytes"},
      {"receive.buffer.bytes", "set socket.receive.buffer.bytes"},
  };
  return table;
}

}  // namespace

std::string instead_of_java_key(const std::string& key) {
  const auto found = replacements().find(key);
  return found == replacements().end() ? std::string() : std::string(found->second);
}

}  // namespace gkv::kafka
