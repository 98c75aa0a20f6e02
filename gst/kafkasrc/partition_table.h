#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace gkv {

/// Where reading of a partition stands.
struct PartitionState {
  using Clock = std::chrono::steady_clock;

  std::int64_t position = -1;                      ///< offset after the last message read; -1: none was
  std::int64_t acknowledged = -1;                  ///< offset to be committed; -1: nothing was dealt with
  std::int64_t committed = -1;                     ///< what was committed last
  std::int64_t high = -1;                          ///< the log's end, as it was last asked for
  std::optional<std::int64_t> stops_at;            ///< offset before which reading ends
  bool at_end = false;                             ///< all that there was has been read
  bool ended = false;                              ///< nothing of it is wanted any more
  std::optional<Clock::time_point> refused_since;  ///< the broker has not the position
  std::optional<std::string> only_source;          ///< the first one seen
  bool needs_all = false;                          ///< has several sources, or frames that build on each other
};

/// The partitions that are read, by topic and number.
using PartitionId = std::pair<std::string, int>;
using PartitionTable = std::map<PartitionId, PartitionState>;

}  // namespace gkv
