#pragma once

#include <gst/gst.h>

#include <memory>
#include <optional>
#include <string>

#include "common/kafka/config.h"

namespace gkv {

/// How a Kafka element connects: properties that source and sink have alike. Unset means that the user has not set it.
struct KafkaConnection {
  static constexpr guint kDefaultTimeoutMs = 30'000;

  std::optional<std::string> bootstrap_servers;
  std::optional<std::string> client_id;
  std::string topic;
  std::string config_file;
  std::shared_ptr<const GstStructure> config;
  guint timeout_ms = kDefaultTimeoutMs;

  /// Ids of the properties. An element's own begin with kFirstOwn.
  enum Property : guint { kBootstrapServers = 1, kClientId, kTopic, kConfig, kConfigFile, kTimeout, kFirstOwn };

  static void install_properties(GObjectClass* klass, const char* topic_blurb, GParamFlags flags);
  /// @return whether the id is one of these properties
  bool set_property(guint id, const GValue* value);
  bool get_property(guint id, GValue* value) const;

  /// The configuration of librdkafka that the properties ask for. An element adds its own properties and defaults.
  /// @param category  whose level librdkafka's log follows
  /// @throws Failure for a topic that is not named, a file that cannot be read, a value in `config` that is no text
  kafka::Config to_config(GstElement* element, GstDebugCategory* category) const;
};

/// A property of an element that is a key of librdkafka's, as one more origin of settings.
kafka::Origin from_property(const std::string& property, kafka::Setting setting);

/// A structure as librdkafka settings. Numbers and booleans are taken for keys that do not hold text.
/// @param structure  may be nullptr
/// @throws Failure for another value, saying how to write it
kafka::Settings to_settings(const GstStructure* structure);

}  // namespace gkv
