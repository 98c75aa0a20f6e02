#include "pictures.h"

#include <gtest/gtest.h>

#include <cstring>
#include <opencv2/imgproc.hpp>

#include "common/frame/gstframemeta.h"

namespace gkv::test {
namespace {

class GStreamer : public testing::Environment {
  void SetUp() override {
    gst_init(nullptr, nullptr);
    register_frame_metas();
  }
};
[[maybe_unused]] const auto* const kGStreamer = testing::AddGlobalTestEnvironment(new GStreamer);

/// A frame mapped while this lives.
struct Mapped {
  Mapped(GstBuffer* picture, const GstVideoInfo& info, GstMapFlags flags) {
    if (!gst_video_frame_map(&frame, &info, picture, flags)) throw std::runtime_error("cannot map the picture");
  }
  Mapped(const Mapped&) = delete;
  ~Mapped() { gst_video_frame_unmap(&frame); }

  std::uint8_t* sample(int number, int x, int y) {
    return static_cast<std::uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(&frame, number)) +
           y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, number) + x * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, number);
  }
  cv::Size size(int number) const {
    return {GST_VIDEO_FRAME_COMP_WIDTH(&frame, number), GST_VIDEO_FRAME_COMP_HEIGHT(&frame, number)};
  }

  GstVideoFrame frame;
};

cv::Mat bgr_view(Mapped& mapped) {
  const cv::Size size = mapped.size(0);
  return {size, CV_8UC3, GST_VIDEO_FRAME_PLANE_DATA(&mapped.frame, 0),
          static_cast<std::size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&mapped.frame, 0))};
}

}  // namespace

GstVideoInfo video_info(GstVideoFormat format, cv::Size size, const std::string& colorimetry) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, format, size.width, size.height);
  info.fps_n = 25;
  info.fps_d = 1;
  if (!colorimetry.empty() && !gst_video_colorimetry_from_string(&info.colorimetry, colorimetry.c_str())) {
    throw std::invalid_argument(colorimetry);
  }
  return info;
}

BufferPtr new_picture(const GstVideoInfo& info) {
  BufferPtr picture(gst_buffer_new_allocate(nullptr, info.size, nullptr));
  gst_buffer_memset(picture.get(), 0, kBackground, info.size);
  return picture;
}

cv::Mat component(GstBuffer* picture, const GstVideoInfo& info, int number) {
  Mapped mapped(picture, info, GST_MAP_READ);
  cv::Mat samples(mapped.size(number), CV_8UC1);
  for (int y = 0; y < samples.rows; ++y) {
    for (int x = 0; x < samples.cols; ++x) samples.at<std::uint8_t>(y, x) = *mapped.sample(number, x, y);
  }
  return samples;
}

void set_component(GstBuffer* picture, const GstVideoInfo& info, int number, const cv::Mat& samples) {
  Mapped mapped(picture, info, GST_MAP_READWRITE);
  ASSERT_EQ(samples.size(), mapped.size(number));
  for (int y = 0; y < samples.rows; ++y) {
    for (int x = 0; x < samples.cols; ++x) *mapped.sample(number, x, y) = samples.at<std::uint8_t>(y, x);
  }
}

BufferPtr converted(GstBuffer* picture, const GstVideoInfo& from, const GstVideoInfo& to) {
  BufferPtr result = new_picture(to);
  Mapped source(picture, from, GST_MAP_READ);
  Mapped target(result.get(), to, GST_MAP_WRITE);
  GstStructure* options = gst_structure_new("options", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
                                            GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, nullptr);
  GstVideoConverter* converter = gst_video_converter_new(&from, &to, options);
  if (!converter) throw std::runtime_error("no converter");
  gst_video_converter_frame(converter, &source.frame, &target.frame);
  gst_video_converter_free(converter);
  return result;
}

BufferPtr blocks(const GstVideoInfo& bgr) {
  BufferPtr picture = new_picture(bgr);
  Mapped mapped(picture.get(), bgr, GST_MAP_READWRITE);
  cv::Mat view = bgr_view(mapped);
  cv::RNG random(7);
  for (int y = 0; y < view.rows; y += 2) {
    for (int x = 0; x < view.cols; x += 2) {
      const cv::Scalar color(random.uniform(0, 256), random.uniform(0, 256), random.uniform(0, 256));
      view(cv::Rect(x, y, 2, 2) & cv::Rect({}, view.size())).setTo(color);
    }
  }
  return picture;
}

void put_text(GstBuffer* picture, const GstVideoInfo& bgr, const std::vector<std::string>& lines) {
  Mapped mapped(picture, bgr, GST_MAP_READWRITE);
  cv::Mat view = bgr_view(mapped);
  for (int i = 0; i < static_cast<int>(lines.size()); ++i) {
    const cv::Scalar color(50, 150, 200);
    cv::putText(view, lines[i], {10, 20 * (i + 1)}, cv::FONT_HERSHEY_PLAIN, 1.2, color, 2);
  }
}

double largest_difference(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() ? cv::norm(a, b, cv::NORM_INF) : 255;
}

std::vector<std::uint8_t> bytes(GstBuffer* buffer) {
  std::vector<std::uint8_t> copy(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, copy.data(), copy.size());
  return copy;
}

HarnessPtr new_overlay(const GstVideoInfo& info) {
  HarnessPtr harness(gst_harness_new("textoverlaylabels"));
  set_caps(harness.get(), info);
  return harness;
}

void set_caps(GstHarness* harness, const GstVideoInfo& info) {
  gst_harness_set_src_caps(harness, gst_video_info_to_caps(&info));
}

BufferPtr after_overlay(GstHarness* harness, BufferPtr frame) {
  if (gst_harness_push(harness, frame.release()) != GST_FLOW_OK) return nullptr;
  return BufferPtr(gst_harness_try_pull(harness));
}

BufferPtr labelled(BufferPtr frame, const std::vector<Classification>& results) {
  set_classifications(frame.get(), results);
  return frame;
}

}  // namespace gkv::test
