#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace gkv {

/// The newest waiting frame of each source. Sources take turns: the one whose frames have waited longest is next,
/// and a newer frame keeps the place of the one it replaces.
/// The caller bounds the number of sources with forget(). Not thread-safe.
template <typename Frame>
class LatestFrames {
 public:
  /// @return the older frame of the source, which the new one replaces
  std::optional<Frame> offer(const std::string& source, Frame frame) {
    if (const auto found = places_.find(source); found != places_.end()) {
      return std::exchange(found->second->second, std::move(frame));
    }
    turns_.emplace_back(source, std::move(frame));
    places_.emplace(source, std::prev(turns_.end()));
    return std::nullopt;
  }

  /// @return the frame of the source that has waited longest, or nothing
  std::optional<Frame> take() { return turns_.empty() ? std::nullopt : remove(turns_.begin()); }

  /// @return the source's waiting frame, if it had one
  std::optional<Frame> forget(const std::string& source) {
    const auto found = places_.find(source);
    return found == places_.end() ? std::nullopt : remove(found->second);
  }

  bool empty() const { return turns_.empty(); }
  std::size_t size() const { return turns_.size(); }

 private:
  using Turns = std::list<std::pair<std::string, Frame>>;

  std::optional<Frame> remove(typename Turns::iterator place) {
    std::optional<Frame> frame(std::move(place->second));
    places_.erase(place->first);
    turns_.erase(place);
    return frame;
  }

  Turns turns_;  ///< longest waiting first
  std::unordered_map<std::string, typename Turns::iterator> places_;
};

}  // namespace gkv
