#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gkv {

/// The newest frame of each source, served in turn: the source that has waited longest comes first, and a newer frame
/// takes the place of the one it replaces. A source whose frames build on each other keeps them from its last key frame
/// on, and begins with a key frame after a gap. Bounded by the number of sources and the frames of each.
template <typename Frame>
class NewestFrames {
 public:
  struct Limits {
    std::size_t sources = 1000;  ///< above it the source that has waited longest is forgotten
    std::size_t chain = 600;     ///< above it the frames of a source are dropped up to its next key frame
  };

  explicit NewestFrames(Limits limits) : limits_(limits) {}

  /// @param delta  whether the frame can only be decoded after the one before it
  /// @return how many frames were given up, this one included
  std::size_t put(std::string_view source, Frame frame, bool delta) {
    Source& state = find_or_add(source);
    std::size_t dropped = 0;
    if (!delta) {
      dropped = state.frames.size();
      state.frames.clear();
      state.broken = false;
    } else if (state.frames.size() >= limits_.chain) {
      dropped = state.frames.size();
      state.frames.clear();
      state.broken = true;
    }
    if (state.broken) return dropped + 1;
    state.frames.push_back(std::move(frame));
    if (state.frames.size() == 1 && !state.waits) {
      state.waits = true;
      turns_.push_back(&state);
    }
    return dropped + std::exchange(given_up_, 0);
  }

  /// Frames between the last one put and the next were passed over: what builds on them is of no use.
  void break_chains() {
    for (auto& source : sources_) source->broken = true;
  }

  std::optional<Frame> take() {
    while (!turns_.empty()) {
      Source& source = *turns_.front();
      turns_.pop_front();
      source.waits = false;
      if (source.frames.empty()) continue;
      std::optional<Frame> frame(std::move(source.frames.front()));
      source.frames.pop_front();
      if (!source.frames.empty()) {
        source.waits = true;
        turns_.push_back(&source);
      }
      return frame;
    }
    return std::nullopt;
  }

  void clear() {
    turns_.clear();
    sources_.clear();
  }

  bool empty() const { return turns_.empty(); }
  /// How many sources were seen.
  std::size_t sources() const { return sources_.size(); }

 private:
  struct Source {
    std::string name;
    std::deque<Frame> frames;  ///< one, but for a chain
    bool broken = true;        ///< no delta unit may follow
    bool waits = false;        ///< has a turn
  };

  Source& find_or_add(std::string_view name) {
    for (auto& source : sources_) {  // few: a look from end to end beats a map
      if (source->name == name) return *source;
    }
    if (sources_.size() >= limits_.sources) forget_one();
    sources_.push_back(std::make_unique<Source>());
    sources_.back()->name = name;
    return *sources_.back();
  }

  /// The source that has waited longest goes, or where none waits the one that was seen first.
  void forget_one() {
    Source* oldest = turns_.empty() ? sources_.front().get() : turns_.front();
    given_up_ += oldest->frames.size();
    if (!turns_.empty()) turns_.pop_front();
    std::erase_if(sources_, [&](const auto& source) { return source.get() == oldest; });
  }

  Limits limits_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::deque<Source*> turns_;
  std::size_t given_up_ = 0;  ///< with sources that were forgotten, not told yet
};

}  // namespace gkv
