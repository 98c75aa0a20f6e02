#pragma once

#include <gst/video/video.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "encoded_stream.h"
#include "options.h"
#include "pipeline.h"

namespace gkv {

/// The patterns of videotestsrc that the demo's model tells apart.
inline constexpr std::array<std::string_view, 18> kPatterns = {
    "smpte", "snow", "black",    "white",  "red",      "green",  "blue",  "checkers-8",   "circular",
    "ball",  "bar",  "pinwheel", "spokes", "gradient", "colors", "gamut", "smpte-rp-219", "zone-plate"};

/// A live camera that shows test patterns in turn, and on request the time in each frame.
class PatternCamera {
 public:
  struct Events {
    /// The first frame of a pattern has left the source.
    std::function<void(const std::string& pattern, std::int64_t unix_ns)> pattern_changed;
    std::function<void(const Failure&)> failed;
  };

  /// @param options  pictures and patterns
  /// @param events   called on the main loop
  PatternCamera(const Options& options, Events events);

  void start() { pipeline_.set_state(GST_STATE_PLAYING); }

  std::shared_ptr<EncodedStream> stream() const { return stream_; }

 private:
  GstBuffer* frame_leaves_source(GstBuffer* frame);
  void show_next_pattern();
  void announce(const std::string& pattern, std::int64_t unix_ns);
  void receive(GstMessage* message);

  const std::vector<std::string> patterns_;
  const bool time_code_;
  const double frames_per_pattern_;
  const Events events_;

  // The next three are touched by the source's thread alone once it runs.
  std::uint64_t frames_ = 0;
  std::uint64_t patterns_shown_ = 0;
  GstVideoInfo video_info_;

  Pipeline pipeline_;
  const ElementPointer source_;
  const std::shared_ptr<EncodedStream> stream_;
};

}  // namespace gkv
