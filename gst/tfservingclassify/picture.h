#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace gkv {

/// A frame as models are asked about it. Only the worker thread reads it, so that it may encode late and once.
class Picture {
 public:
  virtual ~Picture() = default;

  /// The JPEG; valid as long as the picture lives. @throws Failure when the frame cannot be encoded
  virtual std::span<const std::byte> jpeg() = 0;

  /// When the frame was captured, Unix ns; 0: unknown.
  virtual std::uint64_t captured_ns() const = 0;
};

}  // namespace gkv
