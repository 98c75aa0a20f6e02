// What the pictures look like: golden pictures against OpenCV's own call.
#include <gtest/gtest.h>

#include "pictures.h"

namespace gkv::test {
namespace {

const std::vector<Classification> kResults = {{.model = "imagenet_1", .label = "tabby, tabby cat"},
                                              {.model = "imagenet_2", .label = std::nullopt}};
const std::vector<std::string> kLines = {"imagenet_1 : tabby, tabby cat", "imagenet_2 : Nothing"};

TEST(Picture, OnBgrIsPixelIdenticalToPutText) {
  for (const cv::Size size : {cv::Size(640, 480), cv::Size(1280, 720), cv::Size(101, 31), cv::Size(8, 8)}) {
    const GstVideoInfo bgr = video_info(GST_VIDEO_FORMAT_BGR, size);
    BufferPtr expected = blocks(bgr);
    put_text(expected.get(), bgr, kLines);
    BufferPtr drawn = after_overlay(new_overlay(bgr).get(), labelled(blocks(bgr), kResults));
    ASSERT_TRUE(drawn);
    EXPECT_EQ(bytes(drawn.get()), bytes(expected.get())) << size;
  }
}

struct Case {
  GstVideoFormat format;
  const char* colorimetry;
  cv::Size size;
  double error;  ///< what the format's own conversion of a sample may be off
};

void PrintTo(const Case& tested, std::ostream* out) {
  *out << gst_video_format_to_string(tested.format) << " " << tested.colorimetry << " " << tested.size;
}

cv::Mat mean_of_2x2(const cv::Mat& full) {
  cv::Mat half((full.rows + 1) / 2, (full.cols + 1) / 2, CV_8UC1);
  for (int y = 0; y < half.rows; ++y) {
    for (int x = 0; x < half.cols; ++x) {
      const cv::Rect block = cv::Rect(2 * x, 2 * y, 2, 2) & cv::Rect({}, full.size());
      half.at<std::uint8_t>(y, x) = cv::saturate_cast<std::uint8_t>(cv::mean(full(block))[0]);
    }
  }
  return half;
}

/// Components of a BGR picture in a format: converted at full resolution, then halved where the format says so.
std::vector<cv::Mat> components_in(const GstVideoInfo& info, GstBuffer* picture, const GstVideoInfo& bgr) {
  GstVideoInfo whole = info;
  if (GST_VIDEO_INFO_IS_YUV(&info)) {
    whole = video_info(GST_VIDEO_FORMAT_Y444, {info.width, info.height});
    whole.colorimetry = info.colorimetry;
  }
  const BufferPtr reference = converted(picture, bgr, whole);
  std::vector<cv::Mat> components;
  for (guint i = 0; i < std::min(GST_VIDEO_INFO_N_COMPONENTS(&info), 3U); ++i) {
    const cv::Mat samples = component(reference.get(), whole, i);
    components.push_back(GST_VIDEO_FORMAT_INFO_W_SUB(info.finfo, i) ? mean_of_2x2(samples) : samples);
  }
  return components;
}

class PictureIn : public testing::TestWithParam<Case> {};

TEST_P(PictureIn, IsTheConvertedBgrPicture) {
  const Case& tested = GetParam();
  const GstVideoInfo info = video_info(tested.format, tested.size, tested.colorimetry);
  const GstVideoInfo bgr = video_info(GST_VIDEO_FORMAT_BGR, tested.size);
  const BufferPtr background = blocks(bgr);
  const BufferPtr expected_bgr = blocks(bgr);
  put_text(expected_bgr.get(), bgr, kLines);

  BufferPtr frame = new_picture(info);
  const std::vector<cv::Mat> before = components_in(info, background.get(), bgr);
  for (std::size_t i = 0; i < before.size(); ++i) set_component(frame.get(), info, i, before[i]);
  const BufferPtr drawn = after_overlay(new_overlay(info).get(), labelled(std::move(frame), kResults));
  ASSERT_TRUE(drawn);

  const std::vector<cv::Mat> expected = components_in(info, expected_bgr.get(), bgr);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_LE(largest_difference(component(drawn.get(), info, i), expected[i]), tested.error) << "component " << i;
    EXPECT_GT(largest_difference(before[i], expected[i]), 10) << "the text must show in component " << i;
  }
}

const cv::Size kSize(640, 480);
const cv::Size kOdd(151, 43);

INSTANTIATE_TEST_SUITE_P(
    Rgb, PictureIn,
    testing::Values(Case{GST_VIDEO_FORMAT_RGB, "", kOdd, 0}, Case{GST_VIDEO_FORMAT_BGRx, "", kOdd, 0},
                    Case{GST_VIDEO_FORMAT_RGBx, "", kOdd, 0}, Case{GST_VIDEO_FORMAT_xRGB, "", kOdd, 0},
                    Case{GST_VIDEO_FORMAT_xBGR, "", kOdd, 0}, Case{GST_VIDEO_FORMAT_BGRA, "", kOdd, 0},
                    Case{GST_VIDEO_FORMAT_RGBA, "", kOdd, 0}, Case{GST_VIDEO_FORMAT_ARGB, "", kOdd, 0},
                    Case{GST_VIDEO_FORMAT_ABGR, "", kOdd, 0}));

INSTANTIATE_TEST_SUITE_P(
    Yuv, PictureIn,
    testing::Values(Case{GST_VIDEO_FORMAT_GRAY8, "", kOdd, 1}, Case{GST_VIDEO_FORMAT_GRAY8, "bt601", kOdd, 1},
                    Case{GST_VIDEO_FORMAT_I420, "", kSize, 1}, Case{GST_VIDEO_FORMAT_I420, "bt601", kOdd, 1},
                    Case{GST_VIDEO_FORMAT_I420, "bt709", kOdd, 1}, Case{GST_VIDEO_FORMAT_I420, "1:4:0:0", kOdd, 1},
                    Case{GST_VIDEO_FORMAT_I420, "1:3:5:1", kSize, 1}, Case{GST_VIDEO_FORMAT_NV12, "bt601", kOdd, 1},
                    Case{GST_VIDEO_FORMAT_NV12, "bt709", kSize, 1}, Case{GST_VIDEO_FORMAT_NV12, "1:4:0:0", kOdd, 1},
                    Case{GST_VIDEO_FORMAT_NV21, "bt601", kOdd, 1}, Case{GST_VIDEO_FORMAT_YV12, "bt601", kOdd, 1},
                    Case{GST_VIDEO_FORMAT_Y444, "bt709", kOdd, 1}));

TEST(Picture, TextIsOpaqueInAnAlphaChannel) {
  const GstVideoInfo info = video_info(GST_VIDEO_FORMAT_BGRA, kOdd);
  const BufferPtr drawn = after_overlay(new_overlay(info).get(), labelled(new_picture(info), kResults));
  const cv::Mat covered = component(drawn.get(), info, 0) == 200;
  EXPECT_GT(cv::countNonZero(covered), 100);
  EXPECT_EQ(cv::norm(component(drawn.get(), info, 3), covered + (~covered & kBackground), cv::NORM_INF), 0);
}

class Padded : public testing::TestWithParam<GstVideoFormat> {};

/// Rows and planes lie further apart than the caps say, as a GstVideoMeta tells.
TEST_P(Padded, StridesAndOffsetsOfTheVideoMetaCount) {
  const GstVideoInfo dense = video_info(GetParam(), kOdd);
  BufferPtr expected = after_overlay(new_overlay(dense).get(), labelled(new_picture(dense), kResults));

  GstVideoInfo padded = dense;
  GstVideoAlignment alignment;
  gst_video_alignment_reset(&alignment);
  alignment.padding_left = 16;
  alignment.padding_right = 32;
  alignment.padding_top = 2;
  alignment.padding_bottom = 8;
  ASSERT_TRUE(gst_video_info_align(&padded, &alignment));
  BufferPtr frame = new_picture(padded);
  gst_buffer_add_video_meta_full(frame.get(), GST_VIDEO_FRAME_FLAG_NONE, GetParam(), kOdd.width, kOdd.height,
                                 GST_VIDEO_INFO_N_PLANES(&padded), padded.offset, padded.stride);
  BufferPtr drawn = after_overlay(new_overlay(dense).get(), labelled(std::move(frame), kResults));
  ASSERT_TRUE(drawn);

  for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS(&dense); ++i) {
    const cv::Mat samples = component(drawn.get(), dense, i);
    EXPECT_EQ(largest_difference(samples, component(expected.get(), dense, i)), 0) << "component " << i;
    EXPECT_GT(cv::countNonZero(samples != kBackground), 100);
    set_component(drawn.get(), dense, i, cv::Mat(samples.size(), CV_8UC1, cv::Scalar(kBackground)));
  }
  if (GST_VIDEO_INFO_N_COMPONENTS(&dense) == 3) {
    EXPECT_EQ(bytes(drawn.get()), std::vector<std::uint8_t>(padded.size, kBackground)) << "padding was written to";
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Padded,
                         testing::Values(GST_VIDEO_FORMAT_BGR, GST_VIDEO_FORMAT_BGRA, GST_VIDEO_FORMAT_I420,
                                         GST_VIDEO_FORMAT_NV12));

}  // namespace
}  // namespace gkv::test
