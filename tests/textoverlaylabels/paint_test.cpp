#include "textoverlaylabels/paint.h"

#include <gtest/gtest.h>

#include <vector>

namespace gkv {
namespace {

constexpr std::uint8_t kBackground = 40;
constexpr std::array<std::uint8_t, 4> kColor = {50, 150, 200, 255};

LabelMask mask_of(cv::Size picture) {
  LabelMask mask;
  mask.update({"model : label"}, {}, picture);
  return mask;
}

std::uint8_t blended(int background, int color, int alpha, int opacity) {
  const double weight = alpha / 255.0 * opacity / 255.0;
  return static_cast<std::uint8_t>(std::lround(background + (color - background) * weight));
}

struct Case {
  int channels;
  bool half;
  std::uint8_t opacity;
};

class Painting : public testing::TestWithParam<Case> {};

TEST_P(Painting, BlendsTheColourByCoverageAndLeavesTheRest) {
  const auto [channels, half, opacity] = GetParam();
  const cv::Size picture(151, 25);
  const LabelMask mask = mask_of(picture);
  const cv::Size plane = half ? cv::Size(76, 13) : picture;
  const int stride = plane.width * channels + 7;
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(stride) * plane.height, kBackground);

  paint(mask, {.data = bytes.data(), .stride = stride, .channels = channels, .half = half, .color = kColor}, opacity);

  const Coverage& coverage = half ? mask.half() : mask.full();
  cv::Mat alpha = cv::Mat::zeros(plane, CV_8UC1);
  coverage.alpha.copyTo(alpha(cv::Rect(coverage.origin, coverage.alpha.size())));
  for (int y = 0; y < plane.height; ++y) {
    for (int byte = 0; byte < stride; ++byte) {
      const bool padding = byte >= plane.width * channels;
      const int weight = padding ? 0 : alpha.at<std::uint8_t>(y, byte / channels);
      ASSERT_EQ(bytes[y * stride + byte], blended(kBackground, kColor[byte % channels], weight, opacity))
          << "row " << y << ", byte " << byte;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Planes, Painting,
                         testing::Values(Case{1, false, 255}, Case{1, true, 255}, Case{2, true, 255},
                                         Case{3, false, 255}, Case{4, false, 255}, Case{3, false, 128},
                                         Case{2, true, 100}, Case{4, false, 0}));

TEST(Paint, RowsMayRunUpwards) {
  const LabelMask mask = mask_of({120, 24});
  std::vector<std::uint8_t> down(120 * 24, kBackground);
  std::vector<std::uint8_t> up = down;
  paint(mask, {.data = down.data(), .stride = 120, .color = kColor}, 255);
  paint(mask, {.data = up.data() + 23 * 120, .stride = -120, .color = kColor}, 255);
  cv::Mat flipped;
  cv::flip(cv::Mat(24, 120, CV_8UC1, up.data()), flipped, 0);
  EXPECT_EQ(cv::norm(flipped, cv::Mat(24, 120, CV_8UC1, down.data()), cv::NORM_INF), 0);
}

TEST(Paint, NothingWhereNoTextLiesInThePicture) {
  const LabelMask mask = mask_of({1, 1});
  std::uint8_t pixel = kBackground;
  paint(mask, {.data = &pixel, .stride = 1, .color = kColor}, 255);
  paint(mask, {.data = &pixel, .stride = 1, .half = true, .color = kColor}, 255);
  EXPECT_EQ(pixel, kBackground);
}

}  // namespace
}  // namespace gkv
