#pragma once

#include <chrono>
#include <cstddef>

#include "common/kafka/config.h"

namespace gkv {

/// Adds kafkasink's own defaults to what the user set. Latency and order come before throughput: a frame is sent as
/// soon as it is there, alone in its batch; payloads above message.copy.max.bytes are not copied.
/// @param live  what the broker does not take in a few seconds is given up, and nothing is sent twice; else it is tried
///              without limit by an idempotent producer
/// @param max_age  0: no limit
void add_producer_defaults(kafka::Config& config, bool live, std::chrono::milliseconds max_age);

/// How many frames librdkafka is given at a time. Beyond what its idempotent producer may have in requests, its thread
/// polls without a pause (2.0.2: six times the CPU time, and no frame is sent sooner).
std::size_t most_under_way(const rd_kafka_conf_t* conf, std::size_t queue_frames);

}  // namespace gkv
