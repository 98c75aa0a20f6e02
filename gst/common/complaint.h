#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace gkv {

/// Something that may happen with each frame: counted every time, said at most once a minute.
class Complaint {
 public:
  /// @return whether it should be said now
  bool count_one() {
    ++count_;
    const auto now = std::chrono::steady_clock::now();
    if (said_at_ && now - *said_at_ < std::chrono::minutes(1)) return false;
    said_at_ = now;
    return true;
  }

  std::uint64_t count() const { return count_; }

 private:
  std::uint64_t count_ = 0;
  std::optional<std::chrono::steady_clock::time_point> said_at_;
};

}  // namespace gkv
