#pragma once

#include <gst/gst.h>

#include <memory>

#include "common/kafka/client.h"

namespace gkv {

/// The property `config` as librdkafka settings. Text, booleans and whole numbers are taken as they are written.
/// @param structure  may be nullptr
/// @throws Failure for a value of another type, saying how to write it
kafka::Settings to_settings(const GstStructure* structure);

/// The value of a property of type GstStructure, copied; null where it has none.
std::shared_ptr<GstStructure> shared_structure(const GValue* value);

/// Lets a Kafka client's events become messages on the bus, and its log lines of the element's debug category.
/// They keep a reference to the element.
kafka::Events bus_events(GstElement* element, GstDebugCategory* category);

}  // namespace gkv
