#pragma once

#include <gst/video/video.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "common/glue/mapped_buffer.h"
#include "jpeg_encoder.h"
#include "picture.h"

namespace gkv {

/// How the buffers of a stream are to be read.
struct FrameFormat {
  std::optional<GstVideoInfo> raw;  ///< nullopt: the buffers are JPEGs
  int jpeg_quality = 90;            ///< 1..100, for raw frames
};

/// @return the format that the caps tell, or nullopt where they are none that FramePicture reads
std::optional<FrameFormat> frame_format(const GstCaps* caps, int jpeg_quality);

/// A GstBuffer as a picture. A JPEG is used as it is; a raw frame is encoded when it is first asked for, and its buffer
/// let go then. The buffer is kept by reference: who wants to write into it meanwhile gets a copy from GStreamer.
class FramePicture : public Picture {
 public:
  /// Takes a reference of its own.
  FramePicture(GstBuffer* buffer, std::shared_ptr<const FrameFormat> format);

  std::span<const std::byte> jpeg() override;
  std::uint64_t captured_ns() const override { return captured_ns_; }

 private:
  struct BufferUnref {
    void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  };

  std::unique_ptr<GstBuffer, BufferUnref> buffer_;
  std::shared_ptr<const FrameFormat> format_;
  std::uint64_t captured_ns_;
  std::optional<MappedBuffer> mapped_;
  std::optional<Jpeg> encoded_;
};

}  // namespace gkv
