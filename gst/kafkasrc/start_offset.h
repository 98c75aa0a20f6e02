#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "offset_repair.h"

namespace gkv {

/// Where reading starts.
struct StartOffset {
  enum class Kind {
    kAuto,       ///< committed for a group that reads every message, else latest
    kLatest,     ///< messages that come from now on
    kEarliest,   ///< the oldest that the broker still has
    kCommitted,  ///< where the group stopped reading; earliest where it never read
    kTimestamp,  ///< the first message with this timestamp or a later one
    kNumber,     ///< an offset
  };
  Kind kind = Kind::kAuto;
  std::int64_t number = 0;   ///< kNumber: the offset; negative: so many before the end
  std::int64_t time_ms = 0;  ///< kTimestamp: Unix ms
};

/// Where reading ends by itself.
struct StopAt {
  enum class Kind { kNever, kEnd, kTime };
  Kind kind = Kind::kNever;
  std::int64_t time_ms = 0;  ///< kTime: before the first message with this timestamp or a later one, Unix ms
};

/// @return what the log holds, or nullopt where no broker answers in time
std::optional<Watermarks> watermarks(rd_kafka_t* handle, const std::string& topic, int partition,
                                     std::chrono::milliseconds timeout);

/// @return the offset of the first message with this timestamp or a later one, RD_KAFKA_OFFSET_END where there is none,
///         or nullopt where no broker answers in time
std::optional<std::int64_t> offset_at(rd_kafka_t* handle, const std::string& topic, int partition, std::int64_t time_ms,
                                      std::chrono::milliseconds timeout);

/// @return the offset that the group has committed, RD_KAFKA_OFFSET_INVALID (negative) where it has none, or nullopt
///         where no broker answers in time
std::optional<std::int64_t> committed_offset(rd_kafka_t* handle, const std::string& topic, int partition,
                                             std::chrono::milliseconds timeout);

}  // namespace gkv
