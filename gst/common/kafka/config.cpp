#include "common/kafka/config.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <string_view>
#include <tuple>

#include "common/failure.h"
#include "common/kafka/java_keys.h"

namespace gkv::kafka {
namespace {

constexpr std::size_t kErrorSize = 512;
constexpr std::string_view kSpace = " \t\r";

struct Outcome {
  rd_kafka_conf_res_t result;
  std::string words;
};

Outcome set(rd_kafka_conf_t* conf, const Setting& setting) {
  std::array<char, kErrorSize> words{};
  const auto result = rd_kafka_conf_set(conf, setting.key.c_str(), setting.value.c_str(), words.data(), words.size());
  return {result, words.data()};
}

/// librdkafka has two names for some keys.
std::string canonical(const std::string& key) {
  static const std::map<std::string_view, std::string_view> aliases = {
      {"metadata.broker.list", "bootstrap.servers"},
      {"compression.type", "compression.codec"},
      {"request.required.acks", "acks"},
      {"delivery.timeout.ms", "message.timeout.ms"},
      {"queue.buffering.max.ms", "linger.ms"},
      {"max.in.flight", "max.in.flight.requests.per.connection"},
      {"message.send.max.retries", "retries"},
      {"max.partition.fetch.bytes", "fetch.message.max.bytes"},
      {"sasl.mechanism", "sasl.mechanisms"},
  };
  const auto found = aliases.find(key);
  return found == aliases.end() ? key : std::string(found->second);
}

bool is_secret(const std::string& key) {
  return key.find("password") != std::string::npos || key.find("secret") != std::string::npos ||
         key.ends_with(".pem") || key == "sasl.oauthbearer.config";
}

void set_user(rd_kafka_conf_t* conf, const Setting& setting, const std::string& origin) {
  const Outcome outcome = set(conf, setting);
  const std::string instead = outcome.result == RD_KAFKA_CONF_OK ? "" : instead_of_java_key(setting.key);
  if (!instead.empty()) {
    throw Failure("The key " + setting.key + " is one of Kafka's Java client, and librdkafka has it not; in " + origin +
                      " " + instead + ".",
                  outcome.words);
  }
  if (outcome.result == RD_KAFKA_CONF_UNKNOWN) {
    throw Failure("librdkafka knows no key \"" + setting.key + "\"; correct " + origin + ".", outcome.words);
  }
  if (outcome.result != RD_KAFKA_CONF_OK) {
    const std::string value = is_secret(setting.key) ? "given" : "\"" + setting.value + "\"";
    throw Failure("librdkafka refuses the value " + value + " for the key " + setting.key + "; correct " + origin + ".",
                  outcome.words);
  }
}

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

}  // namespace

Conf make_conf(const Config& config) {
  Conf conf(rd_kafka_conf_new());
  std::map<std::string, std::string> origins;  // by key
  for (const Origin& origin : config.user) {
    for (const Setting& setting : origin.settings) {
      const auto [known, added] = origins.emplace(canonical(setting.key), origin.name);
      if (!added && known->second == origin.name) {
        throw Failure("The key " + setting.key + " is set twice by " + origin.name + "; remove one.");
      }
      if (!added) {
        throw Failure("The key " + setting.key + " is set by " + known->second + " and by " + origin.name +
                      "; remove one of them.");
      }
    }
  }
  for (const Setting& setting : config.defaults) {
    if (origins.contains(canonical(setting.key))) continue;
    const Outcome outcome = set(conf.get(), setting);
    if (outcome.result == RD_KAFKA_CONF_INVALID) {
      throw Failure("librdkafka refuses its setting " + setting.key + "=" + setting.value + ".", outcome.words);
    }
  }
  for (const Origin& origin : config.user) {
    for (const Setting& setting : origin.settings) set_user(conf.get(), setting, origin.name);
  }
  if (value_of(conf.get(), "bootstrap.servers").empty()) {
    throw Failure("No Kafka broker is named; set the property bootstrap-servers, e.g. localhost:9092.");
  }
  return conf;
}

Handle make_handle(rd_kafka_type_t type, Conf conf) {
  std::array<char, kErrorSize> words{};
  Handle handle(rd_kafka_new(type, conf.get(), words.data(), words.size()));
  if (!handle) {
    throw Failure("librdkafka refuses its configuration: " + std::string(words.data()) +
                      "; correct the property config or config-file.",
                  "rd_kafka_new failed");
  }
  std::ignore = conf.release();  // rd_kafka_new took it over
  return handle;
}

std::string value_of(const rd_kafka_conf_t* conf, const char* key) {
  std::size_t size = 0;
  if (rd_kafka_conf_get(conf, key, nullptr, &size) != RD_KAFKA_CONF_OK || size == 0) return {};
  std::string value(size, '\0');
  rd_kafka_conf_get(conf, key, value.data(), &size);
  value.resize(std::strlen(value.c_str()));
  return value;
}

bool holds_text(const std::string& key) {
  const Conf conf(rd_kafka_conf_new());
  return set(conf.get(), {key, "~"}).result == RD_KAFKA_CONF_OK;  // no number, no boolean, no name of a choice
}

Settings read_config_file(const std::string& path) {
  const auto failure = [&](const std::string& what) {
    return Failure(what + "; correct the file or the property config-file.", std::strerror(errno));
  };
  const std::string unreadable = "The file " + path + " cannot be read";
  std::ifstream file(path);
  if (!file) throw failure(unreadable);
  Settings settings;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    line = trimmed(line);
    if (line.empty() || line.front() == '#') continue;
    const auto equals = line.find('=');
    if (equals == std::string::npos || equals == 0) {
      // The line itself may hold a password.
      throw failure("Line " + std::to_string(number) + " of the file " + path + " is not of the form key=value");
    }
    settings.push_back({trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1))});
  }
  if (file.bad()) throw failure(unreadable);
  return settings;
}

}  // namespace gkv::kafka
