#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace gkv {

/// A partition: topic and number.
using PartitionId = std::pair<std::string, int>;

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

/// A broker's answer for several partitions.
struct Offsets {
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;  ///< of one of the partitions, or no answer
  std::map<PartitionId, std::int64_t> found;
};

/// In place of a time: the ends of the log. Kafka's protocol has these numbers for them (ListOffsets).
inline constexpr std::int64_t kLogBegin = -2;
inline constexpr std::int64_t kLogEnd = -1;

/// Asks for the offset of the first message that has this timestamp or a later one, RD_KAFKA_OFFSET_END where there is
/// none. All partitions are asked for at the same time. Waits for the answer, which cannot be cancelled: not for a
/// streaming thread, unless `timeout` is 0 and the answer is of no interest.
/// @param times  Unix ms, or kLogBegin or kLogEnd
Offsets offsets_at(rd_kafka_t* handle, const std::map<PartitionId, std::int64_t>& times,
                   std::chrono::milliseconds timeout);

/// @return now, Unix ms
inline std::int64_t unix_ms() {
  using std::chrono::milliseconds;
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace gkv
