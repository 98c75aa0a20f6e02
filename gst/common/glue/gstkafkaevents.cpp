#include "common/glue/gstkafkaevents.h"

#include <memory>
#include <string>

#include "common/glue/reporting_failure.h"

namespace gkv {
namespace {

constexpr int kSyslogError = 3;
constexpr int kSyslogWarning = 4;
constexpr int kSyslogInfo = 6;
constexpr int kSyslogDebug = 7;

GstDebugLevel to_debug_level(int severity) {
  if (severity <= kSyslogError) return GST_LEVEL_WARNING;  // what matters of it reaches the bus in words
  if (severity <= kSyslogWarning) return GST_LEVEL_INFO;
  return severity <= kSyslogInfo ? GST_LEVEL_DEBUG : GST_LEVEL_LOG;
}

int most_severe_of(GstDebugLevel threshold) {
  int severity = 0;
  while (severity < kSyslogDebug && to_debug_level(severity + 1) <= threshold) ++severity;
  return severity;
}

}  // namespace

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

kafka::Settings log_settings(GstDebugCategory* category) {
  const GstDebugLevel threshold = gst_debug_category_get_threshold(category);
  kafka::Settings settings = {{"log_level", std::to_string(most_severe_of(threshold))}};
  if (threshold >= GST_LEVEL_LOG)
    settings.push_back({"debug", threshold >= GST_LEVEL_TRACE ? "all" : "generic,broker,topic,security,cgrp,consumer"});
  return settings;
}

void add_client_stats(GstStructure* stats, const kafka::Statistics& statistics,
                      const std::map<std::string, std::uint64_t>& errors) {
  const auto round_trip = std::chrono::nanoseconds(statistics.round_trip).count();
  gst_structure_set(stats, "round-trip", G_TYPE_UINT64, static_cast<guint64>(round_trip), "reconnects", G_TYPE_UINT64,
                    guint64{statistics.reconnects}, nullptr);
  GstStructure* counts = gst_structure_new_empty("errors");
  for (const auto& [name, count] : errors) {
    gst_structure_set(counts, name.c_str(), G_TYPE_UINT64, guint64{count}, nullptr);
  }
  gst_structure_set(stats, "errors", GST_TYPE_STRUCTURE, counts, nullptr);
  gst_structure_free(counts);
}

}  // namespace gkv
