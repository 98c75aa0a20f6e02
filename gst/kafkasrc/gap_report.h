#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace gkv {

/// Frames of a source that did not come.
struct Gap {
  std::uint64_t skipped = 0;  ///< passed over, for newer ones were there
  std::uint64_t lost = 0;
};

/// Gathers gaps, so that each source's are told at most once a second.
class GapReport {
 public:
  using Clock = std::chrono::steady_clock;

  /// @return what is to be told now of the source
  std::optional<Gap> add(const std::string& source, const Gap& gap, Clock::time_point now) {
    if (sources_.size() >= kMostSources && !sources_.contains(source)) sources_.clear();
    auto& [untold, told_at] = sources_[source];
    untold.skipped += gap.skipped;
    untold.lost += gap.lost;
    if (told_at && now - *told_at < std::chrono::seconds(1)) return std::nullopt;
    told_at = now;
    return std::exchange(untold, {});
  }

 private:
  static constexpr std::size_t kMostSources = 10'000;

  struct Source {
    Gap untold;
    std::optional<Clock::time_point> told_at;
  };
  std::map<std::string, Source> sources_;
};

}  // namespace gkv
