#include "common/frame/gstframemeta.h"

#include <gmock/gmock.h>
#include <gst/check/gstharness.h>
#include <gtest/gtest.h>

#include <string>

namespace gkv {
namespace {

class FrameMeta : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    gst_init(nullptr, nullptr);
    register_frame_metas();
  }
  void TearDown() override { gst_buffer_unref(buffer_); }

  static FrameInfo info() {
    return {
        .source = "camera-1",
        .capture_time_ns = 1'795'404'106'123'456'789,
        .stream = "b7e1",
        .sequence = 42,
        .position = KafkaPosition{.topic = "videocam", .partition = 3, .offset = 12, .timestamp_ms = 1'795'404'106'123},
        .foreign_headers = {{"traceparent", "00-aa-bb-01"}, {"bytes", std::string("\0\xff", 2)}}};
  }
  static std::vector<Classification> results() {
    return {{.model = "b",
             .version = "1",
             .label = "cat",
             .class_id = 281,
             .confidence = 0.9,
             .top = {{"cat", 281, 0.9}},
             .captured_ns = 7,
             .took_ns = 8},
            {.model = "a"}};
  }

  GstBuffer* buffer_ = gst_buffer_new_allocate(nullptr, 4, nullptr);
};

TEST_F(FrameMeta, HoldsWhatWasSet) {
  set_frame_info(buffer_, info());
  set_classifications(buffer_, results());
  EXPECT_EQ(frame_info(buffer_), info());
  EXPECT_EQ(classifications(buffer_), results());
  EXPECT_EQ(frame_source(buffer_), "camera-1");
}

TEST_F(FrameMeta, ReplacesWhatWasThere) {
  set_frame_info(buffer_, info());
  set_frame_info(buffer_, {.source = "camera-2"});
  EXPECT_EQ(frame_info(buffer_), FrameInfo{.source = "camera-2"});
}

TEST_F(FrameMeta, IsAbsentFromAnOrdinaryBuffer) {
  EXPECT_EQ(frame_info(buffer_), std::nullopt);
  EXPECT_EQ(frame_source(buffer_), "");
  EXPECT_TRUE(classifications(buffer_).empty());
}

TEST_F(FrameMeta, WhatIsNoUtf8IsMadeSo) {
  set_frame_info(buffer_, {.source = "caf\xe9"});
  set_classifications(buffer_, {{.model = "\xff", .label = "\xfe", .top = {{"\xfd", 1, 1}}}});
  EXPECT_EQ(frame_source(buffer_), "caf\uFFFD");
  EXPECT_EQ(classifications(buffer_)[0].label, "\uFFFD");
}

TEST_F(FrameMeta, RegistersTwiceWithoutHarm) { register_frame_metas(); }

TEST_F(FrameMeta, FieldsOfOtherTypesAreUnknownValues) {
  GstCustomMeta* meta = gst_buffer_add_custom_meta(buffer_, kFrameMeta);
  gst_structure_set(gst_custom_meta_get_structure(meta), "source", G_TYPE_INT, 1, "sequence", G_TYPE_STRING, "x",
                    "headers", G_TYPE_INT, 2, nullptr);
  EXPECT_EQ(frame_info(buffer_), FrameInfo{});
}

TEST_F(FrameMeta, NamesOfForeignHeadersAreBoundedInNumber) {
  set_frame_info(buffer_, info());  // its names are known from here on
  FrameInfo many;
  for (std::size_t i = 0; i <= kMostHeaderNames; ++i) many.foreign_headers.push_back({"h" + std::to_string(i), "v"});
  set_frame_info(buffer_, many);
  EXPECT_LE(frame_info(buffer_)->foreign_headers.size(), kMostHeaderNames);
  EXPECT_EQ(frame_info(buffer_)->foreign_headers.front().name, "h0");
  EXPECT_EQ(g_quark_try_string(many.foreign_headers.back().name.c_str()), 0U);
  set_frame_info(buffer_, info());
  EXPECT_EQ(frame_info(buffer_), info());
}

TEST_F(FrameMeta, PassesThroughAnEncoderAndADecoder) {
  GstHarness* harness = gst_harness_new_parse("jpegenc ! jpegdec ! videoconvert");
  gst_harness_set_src_caps_str(harness, "video/x-raw,format=I420,width=16,height=16,framerate=25/1");
  GstBuffer* frame = gst_buffer_new_allocate(nullptr, 16 * 16 * 3 / 2, nullptr);
  gst_buffer_memset(frame, 0, 128, 16 * 16 * 3 / 2);
  set_frame_info(frame, info());
  set_classifications(frame, results());
  GstBuffer* out = gst_harness_push_and_pull(harness, frame);
  ASSERT_NE(out, nullptr);
  EXPECT_EQ(frame_info(out), info());
  EXPECT_EQ(classifications(out), results());
  gst_buffer_unref(out);
  gst_harness_teardown(harness);
}

}  // namespace
}  // namespace gkv
