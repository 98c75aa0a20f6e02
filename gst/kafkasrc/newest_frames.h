#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace gkv {

/// The newest frame of each source, served in turn: the source that has waited longest comes first, and a newer frame
/// takes the place of the one it replaces. Bounded by the number of sources.
template <typename Frame>
class NewestFrames {
 public:
  /// @param max_sources  above it the frame that has waited longest is dropped
  explicit NewestFrames(std::size_t max_sources) : max_sources_(max_sources) {}

  /// @return whether a frame was given up for this one
  bool put(const std::string& source, Frame frame) {
    for (auto& [waiting, held] : frames_) {
      if (waiting == source) {
        held = std::move(frame);
        return true;
      }
    }
    const bool full = frames_.size() >= max_sources_;
    if (full) frames_.pop_front();
    frames_.emplace_back(source, std::move(frame));
    return full;
  }

  std::optional<Frame> take() {
    if (frames_.empty()) return std::nullopt;
    std::optional<Frame> frame(std::move(frames_.front().second));
    frames_.pop_front();
    return frame;
  }

  bool empty() const { return frames_.empty(); }

 private:
  std::size_t max_sources_;
  std::deque<std::pair<std::string, Frame>> frames_;  ///< few: a look from end to end beats a map
};

}  // namespace gkv
