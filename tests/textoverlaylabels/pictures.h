#pragma once

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "common/frame/frame.h"

namespace gkv::test {

struct Unref {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstHarness* harness) const { gst_harness_teardown(harness); }
};
using BufferPtr = std::unique_ptr<GstBuffer, Unref>;
using HarnessPtr = std::unique_ptr<GstHarness, Unref>;

/// @param colorimetry  as in caps, or empty for the format's default
GstVideoInfo video_info(GstVideoFormat format, cv::Size size, const std::string& colorimetry = {});

inline constexpr std::uint8_t kBackground = 33;

/// A picture that fits `info`, its bytes all kBackground.
BufferPtr new_picture(const GstVideoInfo& info);

/// Samples of a component (R, G, B, A or Y, Cb, Cr), copied.
cv::Mat component(GstBuffer* picture, const GstVideoInfo& info, int number);
void set_component(GstBuffer* picture, const GstVideoInfo& info, int number, const cv::Mat& samples);

/// The picture in another format, by GStreamer's own converter.
BufferPtr converted(GstBuffer* picture, const GstVideoInfo& from, const GstVideoInfo& to);

/// A coloured BGR pattern of 2x2 blocks: it has no detail that 4:2:0 would lose.
BufferPtr blocks(const GstVideoInfo& bgr);

/// What OpenCV's own call makes of a BGR picture with these lines in the predecessor's look.
void put_text(GstBuffer* picture, const GstVideoInfo& bgr, const std::vector<std::string>& lines);

/// Largest difference of two pictures' samples; 255 when the sizes differ.
double largest_difference(const cv::Mat& a, const cv::Mat& b);

/// All bytes, copied.
std::vector<std::uint8_t> bytes(GstBuffer* buffer);

/// An element textoverlaylabels that takes and gives frames of this kind.
HarnessPtr new_overlay(const GstVideoInfo& info);
void set_caps(GstHarness* harness, const GstVideoInfo& info);

/// The frame after the element, or null where none came.
BufferPtr after_overlay(GstHarness* harness, BufferPtr frame);

/// The frame with these results as ClassificationMeta.
BufferPtr labelled(BufferPtr frame, const std::vector<Classification>& results);

}  // namespace gkv::test
