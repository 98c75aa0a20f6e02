#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "label_mask.h"

namespace gkv {

/// One plane of a picture with 8 bits a component, and what the text's colour is in it.
struct Plane {
  std::uint8_t* data = nullptr;         ///< first sample of the first row; borrowed
  std::ptrdiff_t stride = 0;            ///< bytes from row to row
  int channels = 1;                     ///< bytes of a sample, 1 to 4
  bool half = false;                    ///< half the picture's width and height (4:2:0 chroma)
  std::array<std::uint8_t, 4> color{};  ///< value of each byte of a sample

  bool operator==(const Plane&) const = default;
};

/// Blends the text's colour into a plane of the picture that the mask was made for.
/// @param opacity  255: covers what lies below it
void paint(const LabelMask& mask, const Plane& plane, std::uint8_t opacity);

}  // namespace gkv
