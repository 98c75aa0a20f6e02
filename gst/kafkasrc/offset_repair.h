#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace gkv {

/// The answer to a question that tells a log from another one: at which offset was the first message with this
/// timestamp or a later one? In one log it never comes down, for messages are only appended, and deleted from its
/// beginning.
struct LogReference {
  std::int64_t timestamp_ms = 0;
  std::int64_t offset = 0;
};

/// What a partition's log holds, as a broker tells.
struct LogFacts {
  std::int64_t low = 0;   ///< offset of its first message
  std::int64_t high = 0;  ///< offset after its last
  bool is_other = false;  ///< whether it is not the log that was read
};

/// @param now  the answer to the same question; nullopt: none, or there is no such message (yet)
inline bool is_other_log(const std::optional<LogReference>& reference, const std::optional<std::int64_t>& now) {
  return reference && now && *now >= 0 && *now < reference->offset;
}

/// What to do where a broker says that it has not the offset that is to be read, or not the topic.
struct Repair {
  enum class Kind {
    kReadOn,     ///< it has the offset: another broker answered, or one that lagged behind
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
/// @param log  as just asked
/// @param since  how long the broker has refused the offset
/// @param latest  whether only the newest messages are wanted
inline Repair repair(std::int64_t position, const LogFacts& log, std::chrono::steady_clock::duration since,
                     bool latest) {
  using Kind = Repair::Kind;
  if (!log.is_other) {
    if (position < log.low) {
      return {.kind = Kind::kRetention, .offset = latest ? log.high : log.low, .lost = log.low - position};
    }
    if (position <= log.high) return {.kind = Kind::kReadOn, .offset = position};
    if (since < kPatienceWithShortLogs) return {.kind = Kind::kWait, .offset = position};
  }
  return {.kind = Kind::kOtherLog, .offset = latest ? log.high : log.low};
}

}  // namespace gkv
