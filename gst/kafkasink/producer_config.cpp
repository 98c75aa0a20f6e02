#include "producer_config.h"

#include <algorithm>
#include <string>

namespace gkv {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLivePatience(3000);
constexpr milliseconds kLeastPatience(1000);        ///< a request that times out costs librdkafka its connection
constexpr std::size_t kMostIdempotentRequests = 5;  ///< that a broker keeps in order

bool user_wants_idempotence(const kafka::Config& config) {
  for (const kafka::Origin& origin : config.user) {
    for (const kafka::Setting& setting : origin.settings) {
      if (setting.key == "enable.idempotence") return setting.value == "true" || setting.value == "1";
    }
  }
  return false;
}

}  // namespace

void add_producer_defaults(kafka::Config& config, bool live, milliseconds max_age) {
  const auto patience = max_age.count() > 0 ? std::clamp(max_age, kLeastPatience, kLivePatience) : kLivePatience;
  const kafka::Settings defaults = {
      {"linger.ms", "0"},
      {"batch.num.messages", "1"},
      {"message.copy.max.bytes", "1000"},
      {"message.max.bytes", "104857600"},
      {"queue.buffering.max.messages", "0"},  // the queue is bounded here
      {"queue.buffering.max.kbytes", "2097151"},
      {"message.timeout.ms", live ? std::to_string(patience.count()) : "0"},
      {"socket.nagle.disable", "true"},
      {"socket.timeout.ms", "10000"},  // of a broker that hangs, while another has taken over
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "500"},
  };
  config.defaults.insert(config.defaults.end(), defaults.begin(), defaults.end());
  if (live && user_wants_idempotence(config)) return;  // librdkafka sets what goes with it
  config.defaults.push_back({"acks", live ? "1" : "all"});
  config.defaults.push_back({"enable.idempotence", live ? "false" : "true"});
  config.defaults.push_back({"retries", live ? "0" : "2147483647"});
}

std::size_t most_under_way(const rd_kafka_conf_t* conf, std::size_t queue_frames) {
  const std::size_t half = (queue_frames + 1) / 2;
  if (kafka::value_of(conf, "enable.idempotence") != "true") return half;
  const auto number = [&](const char* key) { return std::stoul(kafka::value_of(conf, key)); };
  const auto requests = std::min(number("max.in.flight.requests.per.connection"), kMostIdempotentRequests);
  return std::min(half, requests * number("batch.num.messages"));
}

}  // namespace gkv
