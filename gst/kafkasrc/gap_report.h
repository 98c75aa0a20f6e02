#pragma once

#include <chrono>
#include <cstddef>
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

  bool operator==(const Gap&) const = default;
};

/// Gathers gaps, so that each source's are told at most once a second.
class GapReport {
 public:
  using Clock = std::chrono::steady_clock;

  /// To be called with each frame. @return what is to be told now of the source
  std::optional<Gap> add(const std::string& source, const Gap& gap, Clock::time_point now) {
    if (gap == Gap{} && untold_ == 0) return std::nullopt;
    if (sources_.size() >= kMostSources && !sources_.contains(source)) forget();
    Source& known = sources_[source];
    const bool had_untold = known.untold != Gap{};
    known.untold.skipped += gap.skipped;
    known.untold.lost += gap.lost;
    const bool has_untold = known.untold != Gap{};
    const bool early = known.told_at && now - *known.told_at < std::chrono::seconds(1);
    if (!has_untold || early) {
      untold_ += has_untold && !had_untold ? 1 : 0;
      return std::nullopt;
    }
    untold_ -= had_untold ? 1 : 0;
    known.told_at = now;
    return std::exchange(known.untold, {});
  }

 private:
  static constexpr std::size_t kMostSources = 10'000;

  struct Source {
    Gap untold;
    std::optional<Clock::time_point> told_at;
  };
  void forget() {
    sources_.clear();
    untold_ = 0;
  }

  std::map<std::string, Source> sources_;
  std::size_t untold_ = 0;  ///< sources with something that is still to be told
};

}  // namespace gkv
