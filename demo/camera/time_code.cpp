#include "time_code.h"

#include <algorithm>
#include <cstring>

namespace gkv {
namespace {

constexpr std::uint8_t kBlack = 16, kWhite = 235, kNeutral = 128;

std::uint16_t crc16(std::uint64_t value) {
  std::uint16_t crc = 0xffff;
  for (int bit = 63; bit >= 0; --bit) {
    const bool feedback = ((value >> bit) & 1) != (crc >> 15);
    crc = static_cast<std::uint16_t>((crc << 1) ^ (feedback ? 0x1021 : 0));
  }
  return crc;
}

std::uint8_t* row(const Plane& plane, int y) { return plane.samples + static_cast<std::ptrdiff_t>(y) * plane.stride; }

}  // namespace

std::array<bool, kTimeCodeBlocks> time_code_blocks(std::uint64_t unix_us) {
  std::array<bool, kTimeCodeBlocks> blocks;
  const std::uint16_t crc = crc16(unix_us);
  for (int bit = 0; bit < 64; ++bit) blocks[bit] = (unix_us >> (63 - bit)) & 1;
  for (int bit = 0; bit < 16; ++bit) blocks[64 + bit] = (crc >> (15 - bit)) & 1;
  return blocks;
}

void draw_time_code(const std::array<Plane, 3>& planes, std::uint64_t unix_us) {
  const Plane& luma = planes[0];
  const int height = std::min(luma.height, std::max(16, luma.width / 320 * 8));

  std::uint8_t* const first = row(luma, luma.height - height);
  const auto blocks = time_code_blocks(unix_us);
  for (int i = 0; i < kTimeCodeBlocks; ++i) {
    const int begin = i * luma.width / kTimeCodeBlocks, end = (i + 1) * luma.width / kTimeCodeBlocks;
    std::memset(first + begin, blocks[i] ? kWhite : kBlack, end - begin);
  }
  for (int y = 1; y < height; ++y) std::memcpy(first + static_cast<std::ptrdiff_t>(y) * luma.stride, first, luma.width);

  for (const Plane& chroma : {planes[1], planes[2]}) {
    for (int y = chroma.height - height / 2; y < chroma.height; ++y) {
      std::memset(row(chroma, y), kNeutral, chroma.width);
    }
  }
}

}  // namespace gkv
