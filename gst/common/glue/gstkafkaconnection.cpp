#include "common/glue/gstkafkaconnection.h"

#include <array>

#include "common/failure.h"
#include "common/glue/gstkafkaevents.h"
#include "common/glue/property_text.h"

namespace gkv {
namespace {

constexpr const char* kDefaultServers = "localhost:9092";

std::optional<std::string> optional_text(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text ? std::optional<std::string>(text) : std::nullopt;
}

/// What GStreamer made of the text in a pipeline: `7` is a number, `1.5` too, `yes` a boolean.
std::optional<std::string> number_or_boolean(const GValue* value) {
  if (G_VALUE_HOLDS_BOOLEAN(value)) return g_value_get_boolean(value) ? "true" : "false";
  if (G_VALUE_HOLDS_INT(value)) return std::to_string(g_value_get_int(value));
  if (G_VALUE_HOLDS_INT64(value)) return std::to_string(g_value_get_int64(value));
  if (!G_VALUE_HOLDS_DOUBLE(value)) return std::nullopt;
  std::array<gchar, G_ASCII_DTOSTR_BUF_SIZE> text{};
  return g_ascii_formatd(text.data(), text.size(), "%.15g", g_value_get_double(value));
}

std::string to_text(const std::string& key, const GValue* value) {
  if (G_VALUE_HOLDS_STRING(value)) return text_of(value);
  const auto text = number_or_boolean(value);
  if (text && !kafka::holds_text(key)) return *text;
  throw Failure("The key " + key + " holds text, and GStreamer takes what is written for " +
                    (text ? "a number or a boolean" : "something else") + "; write it as " + key +
                    "=(string)VALUE in the property config.",
                std::string("it is a ") + G_VALUE_TYPE_NAME(value));
}

}  // namespace

void KafkaConnection::install_properties(GObjectClass* klass, const char* topic_blurb, GParamFlags flags) {
  const auto install = [&](Property id, GParamSpec* spec) { g_object_class_install_property(klass, id, spec); };
  install(kBootstrapServers, g_param_spec_string("bootstrap-servers", "Bootstrap servers",
                                                 "Kafka brokers to connect to first, host:port with commas between",
                                                 kDefaultServers, flags));
  install(kClientId, g_param_spec_string("client-id", "Client id",
                                         "Name by which the broker's logs, quotas and metrics know this client (none: "
                                         "the element's name)",
                                         nullptr, flags));
  install(kTopic, g_param_spec_string("topic", "Topic", topic_blurb, nullptr, flags));
  install(kConfig,
          g_param_spec_boxed("config", "Configuration",
                             "More of librdkafka's configuration, e.g. config=\"c,socket.keepalive.enable=true\"; text "
                             "that looks like a number as key=(string)007",
                             GST_TYPE_STRUCTURE, flags));
  install(kConfigFile, g_param_spec_string("config-file", "Configuration file",
                                           "File of key=value lines with librdkafka's keys, as kcat -F takes it, for "
                                           "what should not stand in a pipeline, such as sasl.password",
                                           nullptr, flags));
  install(kTimeout, g_param_spec_uint("connect-timeout", "Connect time-out",
                                      "Time for the broker and the topic to be there after the start, in ms (0: no "
                                      "limit)",
                                      0, G_MAXINT, kDefaultTimeoutMs, flags));
}

bool KafkaConnection::set_property(guint id, const GValue* value) {
  switch (id) {
    case kBootstrapServers: bootstrap_servers = optional_text(value); return true;
    case kClientId: client_id = optional_text(value); return true;
    case kTopic: topic = text_of(value); return true;
    case kConfig: {
      auto* structure = static_cast<GstStructure*>(g_value_dup_boxed(value));
      config = structure ? std::shared_ptr<const GstStructure>(
                               structure,
                               [](const GstStructure* last) { gst_structure_free(const_cast<GstStructure*>(last)); })
                         : nullptr;
      return true;
    }
    case kConfigFile: config_file = text_of(value); return true;
    case kTimeout: timeout_ms = g_value_get_uint(value); return true;
    default: return false;
  }
}

bool KafkaConnection::get_property(guint id, GValue* value) const {
  switch (id) {
    case kBootstrapServers: g_value_set_string(value, bootstrap_servers.value_or(kDefaultServers).c_str()); return true;
    case kClientId: g_value_set_string(value, client_id ? client_id->c_str() : nullptr); return true;
    case kTopic: g_value_set_string(value, topic.c_str()); return true;
    case kConfig: g_value_set_boxed(value, config.get()); return true;
    case kConfigFile: g_value_set_string(value, config_file.c_str()); return true;
    case kTimeout: g_value_set_uint(value, timeout_ms); return true;
    default: return false;
  }
}

kafka::Config KafkaConnection::to_config(GstElement* element, GstDebugCategory* category) const {
  if (topic.empty()) throw Failure("No Kafka topic is named; set the property topic.");
  gchar* name = gst_element_get_name(element);
  kafka::Config configuration{.defaults = log_settings(category)};
  configuration.defaults.push_back({"bootstrap.servers", kDefaultServers});
  configuration.defaults.push_back({"client.id", name});
  g_free(name);
  if (bootstrap_servers) {
    configuration.user.push_back(from_property("bootstrap-servers", {"bootstrap.servers", *bootstrap_servers}));
  }
  if (client_id) configuration.user.push_back(from_property("client-id", {"client.id", *client_id}));
  configuration.user.push_back({"the property config", to_settings(config.get())});
  if (!config_file.empty()) {
    configuration.user.push_back({"the file " + config_file, kafka::read_config_file(config_file)});
  }
  return configuration;
}

kafka::Origin from_property(const std::string& property, kafka::Setting setting) {
  return {"the property " + property, {std::move(setting)}};
}

kafka::Settings to_settings(const GstStructure* structure) {
  kafka::Settings settings;
  for (int i = 0; structure && i < gst_structure_n_fields(structure); ++i) {
    const gchar* name = gst_structure_nth_field_name(structure, static_cast<guint>(i));
    settings.push_back({name, to_text(name, gst_structure_get_value(structure, name))});
  }
  return settings;
}

}  // namespace gkv
