#pragma once

#include <gst/gst.h>

#include "common/kafka/client.h"

namespace gkv {

/// Lets a Kafka client's events become messages on the bus, and its log lines of the element's debug category.
/// They keep a reference to the element.
kafka::Events bus_events(GstElement* element, GstDebugCategory* category);

/// How much librdkafka is to log, by the threshold that GST_DEBUG gives the category: its debug contexts come with LOG.
kafka::Settings log_settings(GstDebugCategory* category);

/// Adds what the stats of Kafka elements have alike: `round-trip` (ns), `reconnects`, `errors` (counts by librdkafka's
/// name of the error).
void add_client_stats(GstStructure* stats, const kafka::Statistics& statistics,
                      const std::map<std::string, std::uint64_t>& errors);

}  // namespace gkv
