#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gkv {

/// How long frames take from the sink to the broker's acknowledgement, over the last one to two minutes: a histogram
/// of fixed size whose buckets are an eighth of an octave wide, so that its figures are right within 9 %.
class DeliveryLatency {
 public:
  using Clock = std::chrono::steady_clock;
  struct Figures {
    std::chrono::nanoseconds p50{0}, p99{0}, max{0};
  };

  void record(std::chrono::nanoseconds latency, Clock::time_point now) {
    if (now - window_began_ >= kWindow) {
      previous_ = now - window_began_ >= 2 * kWindow ? Window() : current_;
      current_ = Window();
      window_began_ = now;
    }
    ++current_.counts[bucket_of(latency)];
    current_.max = std::max(current_.max, latency);
  }

  /// All 0 where nothing was delivered.
  Figures figures() const {
    std::array<std::uint64_t, kBuckets> counts = current_.counts;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) total += counts[i] += previous_.counts[i];
    const auto max = std::max(current_.max, previous_.max);
    const auto quantile = [&](std::uint64_t percent) {
      std::uint64_t below = 0;
      for (std::size_t i = 0; i < kBuckets && total > 0; ++i) {
        below += counts[i];
        if (below * 100 >= total * percent) return std::min(max, end_of(i));
      }
      return max;
    };
    return {.p50 = quantile(50), .p99 = quantile(99), .max = max};
  }

 private:
  static constexpr std::chrono::seconds kWindow{60};
  static constexpr std::size_t kSteps = 8;  ///< in an octave
  static constexpr std::size_t kBuckets = 64 * kSteps;

  struct Window {
    std::array<std::uint64_t, kBuckets> counts{};
    std::chrono::nanoseconds max{0};
  };

  static std::size_t bucket_of(std::chrono::nanoseconds latency) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), kSteps));
    const auto octave = static_cast<std::size_t>(std::bit_width(value)) - 1;
    return octave * kSteps + ((value >> (octave - 3)) & (kSteps - 1));
  }
  static std::chrono::nanoseconds end_of(std::size_t bucket) {
    const std::size_t octave = bucket / kSteps;
    const std::uint64_t step = kSteps + bucket % kSteps + 1;
    return std::chrono::nanoseconds(static_cast<std::int64_t>(step << (octave - 3)));
  }

  Window current_, previous_;
  Clock::time_point window_began_ = Clock::now();
};

}  // namespace gkv
