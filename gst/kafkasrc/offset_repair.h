#pragma once

#include <chrono>
#include <cstdint>

namespace gkv {

/// What a partition's log holds, as a broker tells.
struct Watermarks {
  std::int64_t low = 0;   ///< offset of its first message
  std::int64_t high = 0;  ///< offset after its last
};

/// What to do where a broker says that it has not the offset that is to be read.
struct Repair {
  enum class Kind {
    kReadOn,     ///< it has the offset: another broker answered, or one that lags behind
    kWait,       ///< its log ends before the offset, which may be a broker's that lags behind: ask again
    kRetention,  ///< the messages up to `offset` were deleted before they were read
    kOtherLog,   ///< the log was made anew or cut
  };
  Kind kind = Kind::kReadOn;
  std::int64_t offset = 0;  ///< where to go on
  std::int64_t lost = 0;    ///< messages that are gone unread
};

/// How long a log may end before the offset until it is taken for another one: the leader that a broker with an older
/// log was gives up after its session time-out.
inline constexpr std::chrono::seconds kPatienceWithShortLogs{10};

/// @param position  offset that is to be read next
/// @param marks  as just asked
/// @param since  how long the broker has refused the offset
/// @param latest  whether only the newest messages are wanted
inline Repair repair(std::int64_t position, const Watermarks& marks, std::chrono::steady_clock::duration since,
                     bool latest) {
  using Kind = Repair::Kind;
  if (position < marks.low) {
    return {.kind = Kind::kRetention, .offset = latest ? marks.high : marks.low, .lost = marks.low - position};
  }
  if (position <= marks.high) return {.kind = Kind::kReadOn, .offset = position};
  if (since < kPatienceWithShortLogs) return {.kind = Kind::kWait, .offset = position};
  return {.kind = Kind::kOtherLog, .offset = latest ? marks.high : marks.low};
}

}  // namespace gkv
