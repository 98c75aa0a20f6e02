#pragma once

#include <functional>
#include <string>

#include "common/failure.h"
#include "options.h"
#include "owned.h"

namespace gkv {

/// A GStreamer pipeline made from its text. Stops at the end of the scope.
class Pipeline {
 public:
  /// @throws Failure  when an element is missing
  explicit Pipeline(const std::string& text);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  GstElement* get() const { return pipeline_.get(); }

  /// The element of that name, which the text must have.
  ElementPointer element(const char* name) const;

  /// Has the main loop call on_message for each message on the bus.
  void watch(std::function<void(GstMessage*)> on_message);

  /// @throws Failure  when the pipeline refuses
  void set_state(GstState state);

 private:
  BusPointer bus() const;

  ElementPointer pipeline_;
  std::function<void(GstMessage*)> on_message_;
};

/// What an ERROR message says.
/// @param what  for the user: what could not be done
Failure failure_of(GstMessage* error, const std::string& what);

/// The end of both cameras' pipelines: from raw I420 video to encoded frames in the appsink `encoded`.
/// One thread, no B-frames and a key frame each second: cheap, and a new viewer never waits long.
/// @param synchronised  whether the appsink waits for each frame's time (false behind a live source)
std::string encoder_text(const PictureFormat& format, bool synchronised);

}  // namespace gkv
