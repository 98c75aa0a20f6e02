#pragma once

#include <array>
#include <cstdint>

namespace gkv {

/// A wall clock drawn into the picture, so that whoever sees the picture can tell its age. The reader is
/// demo/stack/time_code.py.
///
/// Layout: one row of 80 blocks at the bottom edge, over the whole width.
/// - Block i covers the columns from floor(i * width / 80) up to floor((i + 1) * width / 80), so at a width of 640 or
///   a multiple of it all edges lie on H.264's and JPEG's grid of 8 pixels.
/// - The row is floor(width / 320) * 8 pixels high, at least 16.
/// - White (luma 235) is 1, black (luma 16) is 0, chroma is neutral. Readers decide at 128.
/// - The first 64 blocks are Unix time in microseconds, most significant bit first; the last 16 are the
///   CRC-16/CCITT-FALSE (polynomial 0x1021, initial value 0xffff) of those 8 bytes.
inline constexpr int kTimeCodeBlocks = 80;

/// Narrower than this, a block is too small to survive encoding.
inline constexpr int kTimeCodeMinWidth = 320;

/// One plane of a picture with 8 bits a sample.
struct Plane {
  std::uint8_t* samples;
  int width;   ///< In samples.
  int height;  ///< In samples.
  int stride;  ///< Bytes from one row to the next.
};

/// The row of blocks for a time; true is white.
std::array<bool, kTimeCodeBlocks> time_code_blocks(std::uint64_t unix_us);

/// Draws a time into the Y, U and V planes of a 4:2:0 picture that is at least kTimeCodeMinWidth wide.
void draw_time_code(const std::array<Plane, 3>& planes, std::uint64_t unix_us);

}  // namespace gkv
