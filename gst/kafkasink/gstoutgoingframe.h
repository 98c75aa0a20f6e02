#pragma once

#include <gst/base/gstbasesink.h>
#include <gst/video/video.h>

#include <optional>
#include <string>

#include "common/frame/headers.h"
#include "outgoing_queue.h"

namespace gkv {

/// What the timestamp of a Kafka message says.
enum class Timestamp {
  kCapture,  ///< when the frame was captured
  kPts,      ///< when its running time was, by the pipeline's clock
  kNow,      ///< when it is sent
};

/// Makes Kafka messages of a sink's buffers. Belongs to the streaming thread.
class FrameEncoder {
 public:
  struct Settings {
    std::string source_id;           ///< of frames that carry none
    std::optional<std::string> key;  ///< nullopt: the source id; empty: none
    Timestamp timestamp = Timestamp::kCapture;
  };

  explicit FrameEncoder(Settings settings);

  /// The longest caps that readers take.
  static constexpr std::size_t kLongestCaps = std::size_t{64} * 1024;

  /// @return the size of the caps as text
  /// @throws Failure for caps whose frames a message cannot hold
  std::size_t set_caps(GstCaps* caps);

  /// @return the buffer as a message, which keeps and maps it. Bytes are copied only where the buffer consists of
  ///         several memories, or its strides are not those that the caps alone tell
  /// @throws Failure when the buffer cannot be read
  OutgoingFrame encode(GstBaseSink* sink, GstBuffer* buffer);

 private:
  void set_headers(GstBaseSink* sink, GstBuffer* buffer);
  std::int64_t timestamp_ms(GstBaseSink* sink, GstBuffer* buffer) const;

  Settings settings_;
  std::string run_id_;
  std::uint64_t frames_ = 0;
  std::optional<GstVideoInfo> video_;  ///< of raw video
  FrameHeaders headers_;               ///< kept, so that what stays the same is not made anew for each frame
};

}  // namespace gkv
