#include "textoverlaylabels/label_mask.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

namespace gkv {
namespace {

const std::vector<std::string> kTwoLines = {"imagenet_1 : tabby, tabby cat", "imagenet_2 : Nothing"};

/// What OpenCV's own call covers of the picture: 0 or 255 for each pixel.
cv::Mat put_text(const std::vector<std::string>& lines, cv::Size picture) {
  cv::Mat drawn = cv::Mat::zeros(picture, CV_8UC1);
  for (int i = 0; i < static_cast<int>(lines.size()); ++i) {
    cv::putText(drawn, lines[i], {10, 20 * (i + 1)}, cv::FONT_HERSHEY_PLAIN, 1.2, cv::Scalar(255), 2);
  }
  return drawn;
}

cv::Mat spread(const Coverage& coverage, cv::Size plane) {
  cv::Mat spread = cv::Mat::zeros(plane, CV_8UC1);
  if (!coverage.alpha.empty()) coverage.alpha.copyTo(spread(cv::Rect(coverage.origin, coverage.alpha.size())));
  return spread;
}

bool same(const cv::Mat& a, const cv::Mat& b) { return a.size() == b.size() && cv::norm(a, b, cv::NORM_INF) == 0; }

/// Mean of the pixels of each 2x2 block that lie in the picture.
cv::Mat halved(const cv::Mat& full) {
  cv::Mat half((full.rows + 1) / 2, (full.cols + 1) / 2, CV_8UC1);
  for (int y = 0; y < half.rows; ++y) {
    for (int x = 0; x < half.cols; ++x) {
      const cv::Rect block = cv::Rect(2 * x, 2 * y, 2, 2) & cv::Rect({}, full.size());
      half.at<std::uint8_t>(y, x) = cv::saturate_cast<std::uint8_t>(cv::mean(full(block))[0]);
    }
  }
  return half;
}

struct Case {
  cv::Size picture;
  std::vector<std::string> lines;
};

class LabelMaskOf : public testing::TestWithParam<Case> {};

TEST_P(LabelMaskOf, CoversWhatPutTextCovers) {
  const auto& [picture, lines] = GetParam();
  LabelMask mask;
  mask.update(lines, {}, picture);
  const cv::Mat expected = put_text(lines, picture);
  EXPECT_TRUE(same(spread(mask.full(), picture), expected));
  const cv::Mat half = spread(mask.half(), {(picture.width + 1) / 2, (picture.height + 1) / 2});
  EXPECT_LE(cv::norm(half, halved(expected), cv::NORM_INF), 1);
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, LabelMaskOf,
    testing::Values(Case{{640, 480}, kTwoLines}, Case{{641, 481}, kTwoLines}, Case{{101, 33}, kTwoLines},
                    Case{{13, 13}, kTwoLines}, Case{{12, 480}, kTwoLines}, Case{{640, 11}, kTwoLines},
                    Case{{8, 8}, kTwoLines}, Case{{1, 1}, kTwoLines}, Case{{1, 480}, kTwoLines},
                    Case{{640, 480}, std::vector<std::string>(40, "gjpqy|{}[] : line")},
                    Case{{127, 31}, std::vector<std::string>(40, "gjpqy|{}[] : line")},
                    Case{{640, 480}, {std::string("control \0\n\t\x1b\x7f", 13), "invalid \xff\xc3\x28\xed\xa0\x80"}},
                    Case{{640, 480}, {"caf\xc3\xa9 \xe4\xb8\xad\xe6\x96\x87", ""}},
                    Case{{640, 480}, {std::string(10'000, 'i'), "next"}},
                    Case{{320, 240}, {std::string(10'000, '\x80'), "next"}}));

TEST(LabelMask, DrawsOnlyWhenSomethingHasChanged) {
  LabelMask mask;
  const cv::Size picture(640, 480);
  EXPECT_TRUE(mask.update(kTwoLines, {}, picture));
  EXPECT_FALSE(mask.update(kTwoLines, {}, picture));
  EXPECT_TRUE(mask.update({"imagenet_1 : tabby"}, {}, picture));
  EXPECT_TRUE(mask.update({"imagenet_1 : tabby"}, {}, {1280, 720}));
  EXPECT_TRUE(mask.update({"imagenet_1 : tabby"}, {.thickness = 1}, {1280, 720}));
  EXPECT_TRUE(same(spread(mask.full(), {1280, 720}), [] {
    cv::Mat thin = cv::Mat::zeros(720, 1280, CV_8UC1);
    cv::putText(thin, "imagenet_1 : tabby", {10, 20}, cv::FONT_HERSHEY_PLAIN, 1.2, cv::Scalar(255), 1);
    return thin;
  }()));
}

TEST(LabelMask, DistanceOfLinesGrowsWithTheScale) {
  LabelMask mask;
  mask.update({"first", "second"}, {.scale = 2.4}, {640, 480});
  cv::Mat expected = cv::Mat::zeros(480, 640, CV_8UC1);
  cv::putText(expected, "first", {10, 40}, cv::FONT_HERSHEY_PLAIN, 2.4, cv::Scalar(255), 2);
  cv::putText(expected, "second", {10, 80}, cv::FONT_HERSHEY_PLAIN, 2.4, cv::Scalar(255), 2);
  EXPECT_TRUE(same(spread(mask.full(), {640, 480}), expected));
}

TEST(LabelMask, LongTextAtTheSmallestScaleFillsTheLine) {
  LabelMask mask;
  const cv::Size picture(640, 48);
  const std::string narrow(10'000, 'l');
  mask.update({narrow}, {.scale = LabelStyle::kMinimumScale, .thickness = 1}, picture);
  cv::Mat expected = cv::Mat::zeros(picture, CV_8UC1);
  cv::putText(expected, narrow, {10, 5}, cv::FONT_HERSHEY_PLAIN, LabelStyle::kMinimumScale, cv::Scalar(255), 1);
  EXPECT_TRUE(same(spread(mask.full(), picture), expected));
}

}  // namespace
}  // namespace gkv
