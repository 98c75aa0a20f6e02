#pragma once

#include <functional>
#include <memory>
#include <string>

#include "encoded_stream.h"
#include "options.h"
#include "pipeline.h"

namespace gkv {

/// A live camera that shows a video file in an endless loop, scaled to the camera's size and rate.
class VideoCamera {
 public:
  /// Returns when the first frame has been decoded.
  /// @param failed  called on the main loop when the camera stops later
  /// @throws Failure  when the file is no video that can be decoded and looped
  VideoCamera(const std::string& path, const PictureFormat& format, std::function<void(const Failure&)> failed);

  void start() { pipeline_.set_state(GST_STATE_PLAYING); }

  std::shared_ptr<EncodedStream> stream() const { return stream_; }

 private:
  void open();
  void wait_for_first_frame();
  bool seek_to_start(GstSeekFlags flags);
  void receive(GstMessage* message);

  const std::string path_;
  const std::function<void(const Failure&)> failed_;
  Pipeline pipeline_;
  const std::shared_ptr<EncodedStream> stream_;
};

}  // namespace gkv
