#pragma once

#include <gst/base/gstbasesrc.h>

#include <map>
#include <optional>
#include <string>

#include "common/frame/headers.h"

namespace gkv {

/// What the time stamps of buffers are.
enum class Timestamps {
  kArrival,   ///< when the frame was read
  kOriginal,  ///< those of the pipeline that wrote it
  kCapture,   ///< when the frame was captured
};

/// Gives the buffers of a source their time stamps. Belongs to the streaming thread.
class FrameTime {
 public:
  /// @param live  frames are shown as they come; else they are a recording, and the segment begins with the first one
  FrameTime(Timestamps timestamps, bool live) : timestamps_(timestamps), live_(live) {}

  /// Sets time stamp and duration, and the capture time as a GstReferenceTimestampMeta (timestamp/x-unix). With
  /// Timestamps::kArrival GstBaseSrc sets the time stamp.
  void stamp(GstBaseSrc* src, GstBuffer* buffer, const FrameHeaders& headers);

  /// After a seek: the segment begins with the next frame.
  void begin_anew() { recorded_.reset(); }

 private:
  struct Origin {
    std::string stream;
    GstClockTime pts = 0;      ///< of the writing pipeline
    GstClockTime running = 0;  ///< of ours, at the same moment
  };

  /// The frame of a recording that was stamped last.
  struct Recorded {
    std::string source, stream;
    GstClockTime end = 0;  ///< in the segment
  };

  GstClockTime original_pts(const FrameHeaders& headers, GstClockTime now);
  GstClockTime live_pts(const FrameHeaders& headers, GstClockTime now);
  void stamp_recorded(GstBaseSrc* src, GstBuffer* buffer, const FrameHeaders& headers);

  Timestamps timestamps_;
  bool live_;
  std::optional<Recorded> recorded_;
  std::map<std::string, Origin> origins_;  ///< by source
};

}  // namespace gkv
