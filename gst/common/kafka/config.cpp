#include "common/kafka/config.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "common/failure.h"

namespace gkv::kafka {
namespace {

constexpr std::size_t kErrorSize = 512;

struct Outcome {
  rd_kafka_conf_res_t result;
  std::string words;
};

Outcome set(rd_kafka_conf_t* conf, const Setting& setting) {
  std::array<char, kErrorSize> words{};
  const auto result = rd_kafka_conf_set(conf, setting.key.c_str(), setting.value.c_str(), words.data(), words.size());
  return {result, words.data()};
}

bool contains(const Settings& settings, const std::string& key) {
  return std::any_of(settings.begin(), settings.end(), [&](const Setting& setting) { return setting.key == key; });
}

void set_user(rd_kafka_conf_t* conf, const Setting& setting) {
  if (setting.key == "bootstrap.servers" || setting.key == "metadata.broker.list") {
    throw Failure("The property config must not contain " + setting.key +
                  "; set the property bootstrap-servers instead.");
  }
  const Outcome outcome = set(conf, setting);
  if (outcome.result == RD_KAFKA_CONF_UNKNOWN) {
    throw Failure("librdkafka knows no key \"" + setting.key + "\"; correct the property config.", outcome.words);
  }
  if (outcome.result != RD_KAFKA_CONF_OK) {
    throw Failure("librdkafka refuses the value \"" + setting.value + "\" for the key " + setting.key +
                      "; correct the property config.",
                  outcome.words);
  }
}

}  // namespace

Conf make_conf(const Config& config) {
  Conf conf(rd_kafka_conf_new());
  for (const Setting& setting : config.defaults) {
    if (contains(config.user, setting.key)) continue;
    const Outcome outcome = set(conf.get(), setting);
    if (outcome.result == RD_KAFKA_CONF_INVALID) {
      throw Failure("librdkafka refuses its setting " + setting.key + "=" + setting.value + ".", outcome.words);
    }
  }
  for (const Setting& setting : config.user) set_user(conf.get(), setting);
  if (config.bootstrap_servers.empty()) {
    throw Failure("No Kafka broker is named; set the property bootstrap-servers, e.g. localhost:9092.");
  }
  const Outcome outcome = set(conf.get(), {"bootstrap.servers", config.bootstrap_servers});
  if (outcome.result != RD_KAFKA_CONF_OK) {
    throw Failure(
        "\"" + config.bootstrap_servers + "\" names no Kafka brokers; correct the property bootstrap-servers.",
        outcome.words);
  }
  return conf;
}

Handle make_handle(rd_kafka_type_t type, Conf conf) {
  std::array<char, kErrorSize> words{};
  Handle handle(rd_kafka_new(type, conf.get(), words.data(), words.size()));
  if (!handle) {
    throw Failure("librdkafka refuses its configuration; correct the property config.", words.data());
  }
  std::ignore = conf.release();  // rd_kafka_new took it over
  return handle;
}

}  // namespace gkv::kafka
