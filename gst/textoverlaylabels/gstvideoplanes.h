#pragma once

#include <gst/video/video.h>

#include <cstdint>
#include <vector>

#include "paint.h"

namespace gkv {

/// The planes of a frame, with a colour as each stores it: by the frame's matrix (Kr, Kb) and range (ITU-T H.273).
/// @param frame  8 bits a component; planes as large as the picture or half of it in both directions; borrowed
/// @param rgb    0xRRGGBB; alpha and filler bytes become 255
std::vector<Plane> video_planes(const GstVideoFrame& frame, std::uint32_t rgb);

}  // namespace gkv
