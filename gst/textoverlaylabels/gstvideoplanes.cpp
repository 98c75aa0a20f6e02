#include "gstvideoplanes.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace gkv {
namespace {

constexpr std::array<std::uint8_t, 4> kOpaque = {255, 255, 255, 255};

/// Components of the colour in the order of GstVideoFormatInfo: R, G, B, A or Y, Cb, Cr, A.
std::array<std::uint8_t, 4> components(const GstVideoInfo& info, std::uint32_t rgb) {
  const double r = ((rgb >> 16) & 0xff) / 255.0;
  const double g = ((rgb >> 8) & 0xff) / 255.0;
  const double b = (rgb & 0xff) / 255.0;
  std::array<double, 3> values = {r, g, b};
  if (!GST_VIDEO_INFO_IS_RGB(&info)) {
    double kr = 0;
    double kb = 0;
    if (!gst_video_color_matrix_get_Kr_Kb(info.colorimetry.matrix, &kr, &kb)) {
      gst_video_color_matrix_get_Kr_Kb(GST_VIDEO_COLOR_MATRIX_BT601, &kr, &kb);
    }
    const double y = kr * r + (1 - kr - kb) * g + kb * b;
    values = {y, (b - y) / (2 * (1 - kb)), (r - y) / (2 * (1 - kr))};
  }

  std::array<gint, GST_VIDEO_MAX_COMPONENTS> offset{};
  std::array<gint, GST_VIDEO_MAX_COMPONENTS> scale{};
  gst_video_color_range_offsets(info.colorimetry.range, info.finfo, offset.data(), scale.data());
  std::array<std::uint8_t, 4> stored = kOpaque;
  for (std::size_t i = 0; i < values.size(); ++i) {
    stored[i] = static_cast<std::uint8_t>(std::clamp(std::lround(offset[i] + scale[i] * values[i]), 0L, 255L));
  }
  return stored;
}

}  // namespace

std::vector<Plane> video_planes(const GstVideoFrame& frame, std::uint32_t rgb) {
  const GstVideoFormatInfo* format = frame.info.finfo;
  std::vector<Plane> planes(GST_VIDEO_FORMAT_INFO_N_PLANES(format), Plane{.color = kOpaque});
  const auto color = components(frame.info, rgb);
  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS(format); ++i) {
    const guint number = GST_VIDEO_FORMAT_INFO_PLANE(format, i);
    Plane& plane = planes[number];
    plane.data = static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, number));
    plane.stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, number);
    plane.channels = GST_VIDEO_FORMAT_INFO_PSTRIDE(format, i);
    plane.half = GST_VIDEO_FORMAT_INFO_W_SUB(format, i) == 1;
    plane.color[GST_VIDEO_FORMAT_INFO_POFFSET(format, i)] = color[i];
  }
  return planes;
}

}  // namespace gkv
