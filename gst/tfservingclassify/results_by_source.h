#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/frame/frame.h"

namespace gkv {

/// One classification for each model, in the order of `model-urls`. Shared between frames, never changed.
using Results = std::shared_ptr<const std::vector<Classification>>;

/// What each model last said of each source. Bounded: the source that was seen least recently is forgotten first.
/// Not thread-safe.
class ResultsBySource {
 public:
  /// @param nothing_yet  what is known of a new source
  ResultsBySource(std::vector<Classification> nothing_yet, std::size_t max_sources);

  /// Notes that a frame of the source was seen.
  /// @return what is known of it
  Results seen(const std::string& source);

  /// Forgets the least recently seen source, if there are more than max_sources.
  std::optional<std::string> evict();

  /// Notes what a model says. A source that was forgotten meanwhile stays forgotten.
  void set(const std::string& source, std::size_t model, Classification result);

  void clear();
  std::size_t size() const { return recent_.size(); }

 private:
  using Recent = std::list<std::pair<std::string, Results>>;

  Results nothing_yet_;
  std::size_t max_sources_;
  Recent recent_;  ///< most recently seen first
  std::unordered_map<std::string, Recent::iterator> places_;
};

}  // namespace gkv
