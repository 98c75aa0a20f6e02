// What happens to frames and caps; the pictures themselves are tested beside this.
#include <gtest/gtest.h>

#include "common/frame/gstframemeta.h"
#include "pictures.h"

namespace gkv::test {
namespace {

const cv::Size kSize(160, 120);
const std::vector<Classification> kTabby = {{.model = "imagenet_1", .label = "tabby"}};
const std::vector<std::string> kTabbyLine = {"imagenet_1 : tabby"};

GstVideoInfo bgr() { return video_info(GST_VIDEO_FORMAT_BGR, kSize); }

std::vector<std::uint8_t> expected_bgr(const std::vector<std::string>& lines, const GstVideoInfo& info = bgr()) {
  const BufferPtr picture = new_picture(info);
  put_text(picture.get(), info, lines);
  return bytes(picture.get());
}

int count_metas(GstBuffer* buffer, const char* name) {
  int count = 0;
  gpointer position = nullptr;
  while (const GstMeta* meta = gst_buffer_iterate_meta(buffer, &position)) {
    if (meta->info == gst_meta_get_info(name)) ++count;
  }
  return count;
}

TEST(FrameWithoutLabels, PassesAsTheSameBuffer) {
  const HarnessPtr harness = new_overlay(bgr());
  for (const bool empty_meta : {false, true}) {
    BufferPtr frame = new_picture(bgr());
    if (empty_meta) set_classifications(frame.get(), {});
    const BufferPtr shared(gst_buffer_ref(frame.get()));
    const BufferPtr passed = after_overlay(harness.get(), std::move(frame));
    EXPECT_EQ(passed.get(), shared.get());
    EXPECT_EQ(bytes(passed.get()), std::vector<std::uint8_t>(bgr().size, kBackground));
  }
}

/// A buffer without a byte could not be mapped as a frame: the element would say so.
TEST(FrameWithoutLabels, IsNotMapped) {
  const HarnessPtr harness = new_overlay(bgr());
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(harness->element, bus);
  EXPECT_TRUE(after_overlay(harness.get(), BufferPtr(gst_buffer_new())));
  EXPECT_FALSE(gst_bus_have_pending(bus));
  EXPECT_TRUE(after_overlay(harness.get(), labelled(BufferPtr(gst_buffer_new()), kTabby)));
  EXPECT_TRUE(gst_bus_have_pending(bus)) << "a frame shorter than its caps say is warned of";
  gst_element_set_bus(harness->element, nullptr);
  gst_object_unref(bus);
}

TEST(LabelledFrame, IsDrawnInPlaceWhenWritable) {
  const HarnessPtr harness = new_overlay(bgr());
  BufferPtr frame = labelled(new_picture(bgr()), kTabby);
  GstBuffer* const buffer = frame.get();
  GstMemory* const memory = gst_buffer_peek_memory(buffer, 0);
  const BufferPtr drawn = after_overlay(harness.get(), std::move(frame));
  EXPECT_EQ(drawn.get(), buffer);
  EXPECT_EQ(gst_buffer_peek_memory(drawn.get(), 0), memory);
  EXPECT_EQ(bytes(drawn.get()), expected_bgr(kTabbyLine));
}

TEST(LabelledFrame, IsCopiedWhenOthersHoldIt) {
  const HarnessPtr harness = new_overlay(bgr());
  BufferPtr frame = labelled(new_picture(bgr()), kTabby);
  GST_BUFFER_PTS(frame.get()) = 40 * GST_MSECOND;
  const BufferPtr shared(gst_buffer_ref(frame.get()));
  const BufferPtr drawn = after_overlay(harness.get(), std::move(frame));
  EXPECT_EQ(bytes(shared.get()), std::vector<std::uint8_t>(bgr().size, kBackground));
  EXPECT_EQ(bytes(drawn.get()), expected_bgr(kTabbyLine));
  EXPECT_EQ(GST_BUFFER_PTS(drawn.get()), 40 * GST_MSECOND);
  EXPECT_EQ(classifications(drawn.get()), kTabby);
  EXPECT_EQ(count_metas(drawn.get(), kClassificationMeta), 1);
}

TEST(LabelledFrame, IsCopiedWhenItsMemoryIsReadOnly) {
  const HarnessPtr harness = new_overlay(bgr());
  std::vector<std::uint8_t> pixels(bgr().size, kBackground);
  BufferPtr frame(gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, pixels.data(), pixels.size(), 0, pixels.size(),
                                              nullptr, nullptr));
  const BufferPtr drawn = after_overlay(harness.get(), labelled(std::move(frame), kTabby));
  EXPECT_EQ(pixels, std::vector<std::uint8_t>(bgr().size, kBackground));
  EXPECT_EQ(bytes(drawn.get()), expected_bgr(kTabbyLine));
}

TEST(LabelledFrame, TextFollowsEachFrame) {
  const HarnessPtr harness = new_overlay(bgr());
  for (const char* label : {"tabby", "tabby", "bow tie", "tabby"}) {
    const BufferPtr drawn =
        after_overlay(harness.get(), labelled(new_picture(bgr()), {{.model = "m", .label = label}}));
    EXPECT_EQ(bytes(drawn.get()), expected_bgr({std::string("m : ") + label}));
  }
}

TEST(Caps, ChangeInMidStream) {
  const HarnessPtr harness = new_overlay(bgr());
  EXPECT_TRUE(after_overlay(harness.get(), labelled(new_picture(bgr()), kTabby)));
  const GstVideoInfo i420 = video_info(GST_VIDEO_FORMAT_I420, {63, 41});
  set_caps(harness.get(), i420);
  const BufferPtr gray = after_overlay(harness.get(), labelled(new_picture(i420), kTabby));
  const BufferPtr fresh = after_overlay(new_overlay(i420).get(), labelled(new_picture(i420), kTabby));
  EXPECT_EQ(bytes(gray.get()), bytes(fresh.get()));

  const GstVideoInfo smaller = video_info(GST_VIDEO_FORMAT_BGR, {80, 24});
  set_caps(harness.get(), smaller);
  const BufferPtr drawn = after_overlay(harness.get(), labelled(new_picture(smaller), kTabby));
  EXPECT_EQ(bytes(drawn.get()), expected_bgr(kTabbyLine, smaller));
}

TEST(Caps, UnsupportedOnesAreNotNegotiated) {
  const HarnessPtr harness(gst_harness_new("textoverlaylabels"));
  const GstVideoInfo p010 = video_info(GST_VIDEO_FORMAT_P010_10LE, kSize);
  set_caps(harness.get(), p010);
  EXPECT_EQ(gst_harness_push(harness.get(), new_picture(p010).release()), GST_FLOW_NOT_NEGOTIATED);
}

TEST(Properties, ApplyFromTheNextFrameOn) {
  const HarnessPtr harness = new_overlay(bgr());
  EXPECT_TRUE(after_overlay(harness.get(), labelled(new_picture(bgr()), kTabby)));
  g_object_set(harness->element, "color", 0xff0000ffU, "thickness", 1, "scale", 2.0, nullptr);
  const BufferPtr drawn = after_overlay(harness.get(), labelled(new_picture(bgr()), kTabby));
  const cv::Mat blue = component(drawn.get(), bgr(), 2) == 255;
  EXPECT_GT(cv::countNonZero(blue), 100);
  EXPECT_EQ(cv::countNonZero(blue.rowRange(46, kSize.height)), 0) << "the baseline is at 33, descenders 12 below";
  EXPECT_GT(cv::countNonZero(blue.row(16)), 0);

  g_object_set(harness->element, "color", 0x000000ffU, nullptr);
  const BufferPtr transparent = after_overlay(harness.get(), labelled(new_picture(bgr()), kTabby));
  EXPECT_EQ(bytes(transparent.get()), std::vector<std::uint8_t>(bgr().size, kBackground));
}

TEST(Properties, DefaultsAreThePredecessorsLook) {
  const HarnessPtr harness(gst_harness_new("textoverlaylabels"));
  guint color = 0;
  gdouble scale = 0;
  gint thickness = 0;
  g_object_get(harness->element, "color", &color, "scale", &scale, "thickness", &thickness, nullptr);
  EXPECT_EQ(color, 0xffc89632);
  EXPECT_EQ(scale, 1.2);
  EXPECT_EQ(thickness, 2);
}

class EveryFormat : public testing::TestWithParam<GstVideoFormat> {};

TEST_P(EveryFormat, TakesTinyPicturesAndMalformedText) {
  const std::vector<Classification> results = {{.model = "control \n\t\x1b\x7f", .label = std::string(10'000, 'W')},
                                               {.model = "", .label = ""},
                                               {.model = "{}%s%n\\", .label = "caf\xc3\xa9 \xe4\xb8\xad"}};
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(2, 1), cv::Size(1, 30), cv::Size(11, 12), cv::Size(333, 55)}) {
    const GstVideoInfo info = video_info(GetParam(), size);
    const BufferPtr drawn = after_overlay(new_overlay(info).get(), labelled(new_picture(info), results));
    ASSERT_TRUE(drawn) << size;
    EXPECT_EQ(gst_buffer_get_size(drawn.get()), info.size);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, EveryFormat,
                         testing::Values(GST_VIDEO_FORMAT_BGR, GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_BGRx,
                                         GST_VIDEO_FORMAT_RGBx, GST_VIDEO_FORMAT_xRGB, GST_VIDEO_FORMAT_xBGR,
                                         GST_VIDEO_FORMAT_BGRA, GST_VIDEO_FORMAT_RGBA, GST_VIDEO_FORMAT_ARGB,
                                         GST_VIDEO_FORMAT_ABGR, GST_VIDEO_FORMAT_GRAY8, GST_VIDEO_FORMAT_I420,
                                         GST_VIDEO_FORMAT_YV12, GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_NV21,
                                         GST_VIDEO_FORMAT_Y444),
                         [](const auto& format) { return std::string(gst_video_format_to_string(format.param)); });

}  // namespace
}  // namespace gkv::test
