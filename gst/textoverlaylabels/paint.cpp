#include "paint.h"

#include <stdexcept>

namespace gkv {
namespace {

template <int channels>
void paint_samples(const Coverage& coverage, const Plane& plane, unsigned opacity) {
  constexpr unsigned kAll = 255 * 255;
  for (int y = 0; y < coverage.alpha.rows; ++y) {
    const std::uint8_t* alpha = coverage.alpha.ptr(y);
    std::uint8_t* sample =
        plane.data + (coverage.origin.y + y) * plane.stride + std::ptrdiff_t{coverage.origin.x} * channels;
    for (int x = 0; x < coverage.alpha.cols; ++x, sample += channels) {
      if (alpha[x] == 0) continue;
      const unsigned weight = alpha[x] * opacity;
      for (std::size_t c = 0; c < channels; ++c) {
        const unsigned blended = sample[c] * (kAll - weight) + plane.color[c] * weight;
        sample[c] = static_cast<std::uint8_t>((blended + kAll / 2) / kAll);
      }
    }
  }
}

}  // namespace

void paint(const LabelMask& mask, const Plane& plane, std::uint8_t opacity) {
  const Coverage& coverage = plane.half ? mask.half() : mask.full();
  switch (plane.channels) {
    case 1: return paint_samples<1>(coverage, plane, opacity);
    case 2: return paint_samples<2>(coverage, plane, opacity);
    case 3: return paint_samples<3>(coverage, plane, opacity);
    case 4: return paint_samples<4>(coverage, plane, opacity);
    default: throw std::invalid_argument("a sample has 1 to 4 bytes");
  }
}

}  // namespace gkv
