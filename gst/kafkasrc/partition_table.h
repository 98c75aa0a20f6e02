#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "offset_repair.h"
#include "offsets.h"

namespace gkv {

/// Where reading of a partition stands.
struct PartitionState {
  using Clock = std::chrono::steady_clock;

  std::int64_t start = RD_KAFKA_OFFSET_STORED;     ///< where it was assigned
  std::int64_t position = -1;                      ///< offset after the last message read; -1: none was
  std::int64_t acknowledged = -1;                  ///< offset to be committed; -1: nothing was dealt with
  std::int64_t committed = -1;                     ///< what was committed last
  std::int64_t high = -1;                          ///< the log's end, as it was last asked for
  std::int64_t timestamp_ms = -1;                  ///< of the last message read; -1: none
  std::optional<std::int64_t> stops_at;            ///< offset before which reading ends
  bool at_end = false;                             ///< all that there was has been read
  bool ended = false;                              ///< nothing of it is wanted any more
  std::optional<Clock::time_point> refused_since;  ///< the broker has not the position, or not the topic
  Clock::time_point heard_at = Clock::now();       ///< when its last message came
  Clock::time_point asked_at = heard_at;           ///< when its broker was asked about it
  Clock::time_point checked_at{};                  ///< when it was found out last that its log is still the same
  bool missed = false;                             ///< its topic was gone: it may be another one
  std::optional<LogReference> reference;           ///< by which its log is known again
  Clock::time_point referred_at{};                 ///< when that was asked for
  std::optional<std::string> only_source;          ///< the first one seen
  bool needs_all = false;                          ///< has several sources, or frames that build on each other
};

/// The partitions that are read.
using PartitionTable = std::map<PartitionId, PartitionState>;

}  // namespace gkv
