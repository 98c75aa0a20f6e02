#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <memory>
#include <span>

#include "common/failure.h"

namespace gkv {

/// A GstBuffer kept and mapped for reading while this lives. Bytes are not copied, unless the buffer consists of
/// several memories (GStreamer then merges them).
class MappedBuffer {
 public:
  /// Takes a reference of its own. @throws Failure when the buffer cannot be mapped.
  explicit MappedBuffer(GstBuffer* buffer) : buffer_(gst_buffer_ref(buffer)) {
    if (!gst_buffer_map(buffer, &map_, GST_MAP_READ)) {
      gst_buffer_unref(buffer);
      throw Failure("A buffer could not be read; its memory must be readable by the CPU.", "gst_buffer_map failed");
    }
  }
  MappedBuffer(const MappedBuffer&) = delete;
  MappedBuffer& operator=(const MappedBuffer&) = delete;
  ~MappedBuffer() {
    gst_buffer_unmap(buffer_, &map_);
    gst_buffer_unref(buffer_);
  }

  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(map_.data, map_.size)); }

 private:
  GstBuffer* buffer_;
  GstMapInfo map_;
};

}  // namespace gkv
