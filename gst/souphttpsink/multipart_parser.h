#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "glib_handles.h"

namespace gkv {

/// Takes a `multipart/x-mixed-replace` stream apart into its JPEG pictures, however the stream is cut into chunks.
/// A chunk that is exactly the body that Content-Length announced is handed on without a copy: so multipartmux
/// sends them. Parts without Content-Length end at the next boundary.
///
/// What is not understood is counted and skipped up to the next boundary line; no input ends the stream.
class MultipartParser {
 public:
  static constexpr std::size_t kMaxHeaderBytes = 16 * 1024;
  static constexpr std::size_t kMaxBodyBytes = 64 * 1024 * 1024;

  /// @param boundary  without the leading dashes; empty: taken from the first boundary line
  explicit MultipartParser(std::string boundary) : boundary_(std::move(boundary)) {}

  /// @return bodies of the `image/jpeg` parts that this chunk completes, in order
  std::vector<BytesPtr> push(BytesPtr chunk);

  /// Parts skipped because they were damaged, too large, or no JPEG pictures.
  std::uint64_t malformed() const { return malformed_; }

 private:
  enum class State { kBoundary, kHeaders, kBody, kUnsizedBody, kLost };

  bool advance(std::vector<BytesPtr>& bodies);
  bool read_boundary();
  bool read_headers();
  bool read_body(std::vector<BytesPtr>& bodies);
  bool read_unsized_body(std::vector<BytesPtr>& bodies);
  bool find_boundary_again();
  void begin_part(std::string_view headers);
  void end_part(BytesPtr body, std::vector<BytesPtr>& bodies);
  bool get_lost();

  std::string_view rest() const { return std::string_view(pending_).substr(position_); }

  std::string boundary_;
  State state_ = State::kBoundary;
  std::string pending_;  ///< bytes not understood yet, from position_ on
  std::size_t position_ = 0;
  std::size_t body_size_ = 0;  ///< as announced, in kBody
  std::size_t searched_ = 0;   ///< bytes of the body without a boundary in them, in kUnsizedBody
  bool wanted_ = true;         ///< whether the part at hand is a JPEG picture
  std::uint64_t malformed_ = 0;
};

}  // namespace gkv
