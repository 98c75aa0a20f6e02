#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "glib_handles.h"

namespace gkv {

/// How a viewer's stream is laid out: the opening line, and for each picture its headers, the JPEG, the closing line:
///
///   --BOUNDARY
///   Content-Type: image/jpeg
///   Content-Length: 48213
///   X-Timestamp: 1763901234.567890
///
///   (JPEG)
///   --BOUNDARY
///
/// The boundary line follows each picture at once: Firefox shows a picture when it has come.
class StreamFormat {
 public:
  /// @param boundary  1 to 70 characters that MIME allows in a boundary (RFC 2046)
  /// @throws Failure that names the property `boundary`
  explicit StreamFormat(const std::string& boundary);

  const std::string& content_type() const { return content_type_; }
  GBytes* opening() const { return opening_.get(); }
  GBytes* closing() const { return closing_.get(); }

 private:
  std::string content_type_;
  BytesPtr opening_;
  BytesPtr closing_;
};

/// A part's headers, with the empty line that ends them.
/// @param size  bytes of the JPEG picture
/// @param capture_time_ns  Unix ns
std::string part_headers(std::size_t size, std::optional<std::uint64_t> capture_time_ns);

/// A capture time as the value of X-Timestamp: Unix seconds with six decimals, as mjpg-streamer writes them.
std::string timestamp(std::uint64_t capture_time_ns);

}  // namespace gkv
