#include "common/glue/gstkafka.h"

#include <memory>
#include <string>

#include "common/glue/reporting_failure.h"

namespace gkv {
namespace {

constexpr int kSyslogError = 3;
constexpr int kSyslogWarning = 4;
constexpr int kSyslogInfo = 6;

GstDebugLevel to_debug_level(int severity) {
  if (severity <= kSyslogError) return GST_LEVEL_WARNING;  // what matters of it reaches the bus in words
  if (severity <= kSyslogWarning) return GST_LEVEL_INFO;
  return severity <= kSyslogInfo ? GST_LEVEL_DEBUG : GST_LEVEL_LOG;
}

/// @throws Failure where the value is neither text, boolean nor whole number
std::string to_text(const char* key, const GValue* value) {
  if (G_VALUE_HOLDS_STRING(value) && g_value_get_string(value)) return g_value_get_string(value);
  if (G_VALUE_HOLDS_BOOLEAN(value)) return g_value_get_boolean(value) ? "true" : "false";
  if (G_VALUE_HOLDS_INT(value)) return std::to_string(g_value_get_int(value));
  if (G_VALUE_HOLDS_INT64(value)) return std::to_string(g_value_get_int64(value));
  throw Failure("The value of " + std::string(key) + " is no text; write it as " + key +
                "=(string)VALUE in the property config.");
}

}  // namespace

kafka::Settings to_settings(const GstStructure* structure) {
  kafka::Settings settings;
  for (int i = 0; structure && i < gst_structure_n_fields(structure); ++i) {
    const gchar* name = gst_structure_nth_field_name(structure, static_cast<guint>(i));
    settings.push_back({name, to_text(name, gst_structure_get_value(structure, name))});
  }
  return settings;
}

std::shared_ptr<GstStructure> shared_structure(const GValue* value) {
  auto* structure = static_cast<GstStructure*>(g_value_dup_boxed(value));
  return structure ? std::shared_ptr<GstStructure>(structure, gst_structure_free) : nullptr;
}

kafka::Events bus_events(GstElement* element, GstDebugCategory* category) {
  // A client lives as long as a message of it does, which may be longer than the element is in use.
  const std::shared_ptr<GstElement> kept(GST_ELEMENT(gst_object_ref(element)), gst_object_unref);
  return {
      .error = [kept](const Failure& failure) { post_error(kept.get(), failure); },
      .warning = [kept](const Failure& failure) { post_warning(kept.get(), failure); },
      .info = [kept](const std::string& text) { post_info(kept.get(), text); },
      .log =
          [kept, category](int severity, const std::string& text) {
            GST_CAT_LEVEL_LOG(category, to_debug_level(severity), kept.get(), "%s", text.c_str());
          },
  };
}

}  // namespace gkv
