#pragma once

#include <gst/app/app.h>

#include <atomic>
#include <memory>
#include <vector>

#include "common/glue/guarded.h"
#include "owned.h"

namespace gkv {

/// One viewer of an encoded stream: an appsrc that gets its frames.
class Viewer {
 public:
  /// @param source       the appsrc
  /// @param max_waiting  frames that may wait in it
  Viewer(ElementPointer source, std::size_t max_waiting) : source_(std::move(source)), max_waiting_(max_waiting) {}

  /// Whether the viewer takes frames. Until then it gets a single one, from which the stream is described to it.
  void set_playing(bool playing) { playing_ = playing; }

  /// Pushes a frame, unless the viewer has to wait for a key frame. Called by the camera's thread alone.
  /// @param clock_time  the frame's time on the system clock
  /// @return            whether the camera should make a key frame now
  bool deliver(GstSample* sample, GstClockTime clock_time);

 private:
  bool accepts(bool is_key_frame);

  const ElementPointer source_;
  const std::size_t max_waiting_;
  std::atomic<bool> playing_ = false;

  // Touched by the camera's thread alone.
  bool has_caps_ = false;
  bool described_ = false;
  bool was_playing_ = false;
  bool needs_key_frame_ = true;
};

/// The encoded frames of one camera, handed to any number of viewers. The camera encodes once and never waits:
/// a viewer who does not keep up loses frames and goes on at a key frame.
class EncodedStream {
 public:
  /// @param sink         the camera's appsink, whose callbacks keep the stream alive
  /// @param max_waiting  frames that may wait for one viewer
  static std::shared_ptr<EncodedStream> of(GstElement* sink, std::size_t max_waiting);

  /// Pushes frames into an appsrc as soon as its pipeline plays, from a key frame on, which the camera makes at once.
  std::shared_ptr<Viewer> subscribe(ElementPointer source);
  void unsubscribe(const std::shared_ptr<Viewer>& viewer);

 private:
  explicit EncodedStream(std::size_t max_waiting) : max_waiting_(max_waiting) {}
  void publish(GstElement* sink, GstSample* sample);

  const std::size_t max_waiting_;
  Guarded<std::vector<std::shared_ptr<Viewer>>> viewers_;
};

}  // namespace gkv
