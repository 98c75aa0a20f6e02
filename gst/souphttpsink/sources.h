#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/glue/guarded.h"
#include "glib_handles.h"

namespace gkv {

/// A picture, shared by all who send it.
struct Frame {
  BytesPtr jpeg;
  BytesPtr part_headers;                         ///< as they precede it in a stream
  std::optional<std::uint64_t> capture_time_ns;  ///< Unix ns
};
using FramePtr = std::shared_ptr<const Frame>;

/// @param jpeg  the picture; not copied
FramePtr make_frame(BytesPtr jpeg, std::optional<std::uint64_t> capture_time_ns);

struct SourceStatus {
  std::string id;
  std::uint64_t frames = 0;          ///< published so far
  std::chrono::milliseconds age{0};  ///< since the newest was published
};

/// The newest frame of each source; older ones are forgotten. So is, above a limit of sources, the source that has
/// been silent the longest. Any thread may call it: one publishes, another takes.
class Sources {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMaxSources = 1000;

  explicit Sources(std::size_t limit = kMaxSources) : limit_(limit) {}

  void publish(const std::string& source, FramePtr frame, Clock::time_point now = Clock::now());

  /// @return null where the source is not known
  FramePtr newest(const std::string& source);

  /// The source that came first, of those known.
  std::optional<std::string> first();

  /// Sources that published since the last call. For one taker.
  std::set<std::string> take_changed();

  /// Of all sources, in the order of their ids.
  std::vector<SourceStatus> status(Clock::time_point now = Clock::now());

 private:
  struct Entry {
    FramePtr newest;
    std::uint64_t frames = 0;
    std::uint64_t order = 0;  ///< counts the sources in the order in which they came
    Clock::time_point published;
  };
  struct State {
    std::map<std::string, Entry> entries;
    std::set<std::string> changed;  ///< since take_changed()
    std::uint64_t arrivals = 0;
  };

  static FramePtr forget_most_silent(State& state);

  const std::size_t limit_;
  Guarded<State> state_;
};

}  // namespace gkv
