#include "common/glue/gstkafkauri.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/failure.h"

namespace gkv {
namespace {

constexpr std::string_view kScheme = "kafka://";
constexpr const char* kForm = "; write kafka://HOST:PORT[,HOST:PORT…]/TOPIC[?PROPERTY=VALUE&…].";
constexpr const char* kBrokersUnescaped = ":,[]";

using Properties = std::vector<std::pair<std::string, std::string>>;

std::string unescaped(std::string_view text) {
  gchar* plain = g_uri_unescape_string(std::string(text).c_str(), nullptr);
  if (!plain) throw Failure("The URI has a percent sign that begins no character" + std::string(kForm));
  std::string result = plain;
  g_free(plain);
  return result;
}

std::string escaped(const std::string& text, const char* but) {
  gchar* uri = g_uri_escape_string(text.c_str(), but, TRUE);
  std::string result = uri;
  g_free(uri);
  return result;
}

/// Cuts `text` at the first `mark`. @return what stands behind it, or nullopt
std::optional<std::string_view> cut(std::string_view& text, char mark) {
  const auto at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const auto rest = text.substr(at + 1);
  text = text.substr(0, at);
  return rest;
}

/// What a query may not set: what the URI's other parts say, the element's name, and what may hold a password.
void refuse_misplaced(const std::string& property) {
  if (property == "config") {
    throw Failure("The property config in a URI would be shown in logs with its passwords; set config-file instead.");
  }
  if (property == "bootstrap-servers" || property == "topic" || property == "name") {
    throw Failure("The URI's query cannot set the property " + property + std::string(kForm));
  }
}

Properties parse(std::string_view uri) {
  if (!uri.starts_with(kScheme)) throw Failure("This is no URI of Kafka's" + std::string(kForm));
  std::string_view brokers = uri.substr(kScheme.size());
  auto query = cut(brokers, '?');
  std::string_view topic = cut(brokers, '/').value_or("");
  if (brokers.find('@') != std::string_view::npos) {
    throw Failure("Login data in a URI would be shown in logs; set the property config-file instead.");
  }
  if (brokers.empty() || topic.empty()) throw Failure("The URI names no broker or no topic" + std::string(kForm));
  Properties properties = {{"bootstrap-servers", unescaped(brokers)}, {"topic", unescaped(topic)}};
  while (query && !query->empty()) {
    std::string_view property = *query;
    query = cut(property, '&');
    const auto value = cut(property, '=');
    if (!value) throw Failure("The URI has a property without a value" + std::string(kForm));
    const std::string name = unescaped(property);
    refuse_misplaced(name);
    properties.emplace_back(name, unescaped(*value));
  }
  return properties;
}

void set(GObject* element, const std::string& property, const std::string& text) {
  GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), property.c_str());
  if (!spec || !(spec->flags & G_PARAM_WRITABLE)) {
    throw Failure("The URI names the property " + property + ", which " + G_OBJECT_TYPE_NAME(element) + " has not.");
  }
  GValue value = G_VALUE_INIT;
  g_value_init(&value, spec->value_type);
  const bool valid = gst_value_deserialize_with_pspec(&value, text.c_str(), spec);
  if (valid) g_object_set_property(element, property.c_str(), &value);
  g_value_unset(&value);
  if (!valid) throw Failure("The URI has a value for the property " + property + " that is none of it.");
}

GstURIType get_type(GType type) {
  return g_type_is_a(type, g_type_from_name("GstBaseSink")) ? GST_URI_SINK : GST_URI_SRC;
}

const gchar* const* get_protocols(GType) {
  static const gchar* protocols[] = {"kafka", nullptr};
  return protocols;
}

gchar* get_uri(GstURIHandler* handler) {
  gchar* brokers = nullptr;
  gchar* topic = nullptr;
  g_object_get(handler, "bootstrap-servers", &brokers, "topic", &topic, nullptr);
  gchar* uri = nullptr;
  if (topic && *topic) {
    uri = g_strdup((std::string(kScheme) + escaped(brokers, kBrokersUnescaped) + "/" + escaped(topic, "^,")).c_str());
  }
  g_free(brokers);
  g_free(topic);
  return uri;
}

gboolean set_uri(GstURIHandler* handler, const gchar* uri, GError** error) {
  // A sink takes its properties over on the way to READY.
  const bool sink = get_type(G_OBJECT_TYPE(handler)) == GST_URI_SINK;
  if (GST_STATE(handler) > (sink ? GST_STATE_NULL : GST_STATE_READY)) {
    g_set_error(error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
                "The URI cannot be changed while the element is in use.");
    return FALSE;
  }
  try {
    for (const auto& [property, value] : parse(uri)) set(G_OBJECT(handler), property, value);
    return TRUE;
  } catch (const Failure& failure) {
    g_set_error(error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI, "%s", failure.what());
    return FALSE;
  }
}

}  // namespace

void kafka_uri_handler_init(gpointer interface, gpointer) {
  auto* handler = static_cast<GstURIHandlerInterface*>(interface);
  handler->get_type = get_type;
  handler->get_protocols = get_protocols;
  handler->get_uri = get_uri;
  handler->set_uri = set_uri;
}

}  // namespace gkv
