#include <gst/video/video.h>

#include <vector>

#include "common/frame/gstframemeta.h"
#include "kafkasink_fixture.h"

namespace gkv {
namespace {

using test::Pipeline;
using test::text_of;
using testing::HasSubstr;

/// What stands in a message.
class KafkaSinkMessage : public test::KafkaSinkTest {
 protected:
  /// One frame sent with these properties, as it is in the topic.
  test::TestMessage message_with(const std::string& properties, int partition = 0) {
    Pipeline pipeline = make("topic=videocam drain-timeout=0 " + properties);
    pipeline.set_state(GST_STATE_PLAYING);
    GstBuffer* buffer = gst_buffer_new_memdup("frame", 5);
    set_frame_info(buffer, {.source = "camera-7", .capture_time_ns = 1'795'404'106'123'456'789});
    push(pipeline, buffer);
    end(pipeline);
    return kafka_.read(1, partition)[0];
  }
  void set_caps(Pipeline& pipeline, const std::string& text) {
    GstCaps* caps = gst_caps_from_string(text.c_str());
    g_object_set(pipeline.element("src"), "caps", caps, nullptr);
    gst_caps_unref(caps);
  }

  test::MockKafka kafka_{test::kTopic, 3};

  Pipeline make(const std::string& properties) { return KafkaSinkTest::make(properties, kafka_.bootstrap_servers()); }
};

TEST_F(KafkaSinkMessage, TheKeyIsTheSourceIdUnlessTheUserSetsAnother) {
  EXPECT_EQ(message_with("partition=0").key, "camera-7");
  EXPECT_EQ(message_with("partition=1 key=all", 1).key, "all");
  EXPECT_EQ(message_with("partition=2 key=\"\"", 2).key, "");
}

TEST_F(KafkaSinkMessage, APartitionThatTheTopicHasNotIsAnError) {
  Pipeline pipeline = make("topic=videocam partition=3");
  pipeline.set_state(GST_STATE_PLAYING);
  EXPECT_EQ(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)),
            "The topic \"videocam\" has no partition 3; its partitions are 0 to 2: correct the property partition.");
}

TEST_F(KafkaSinkMessage, TheTimestampIsTheCaptureTimeUnlessTheUserSetsAnother) {
  const gint64 before = g_get_real_time() / 1000;
  EXPECT_EQ(message_with("partition=0").timestamp_ms, 1'795'404'106'123);
  EXPECT_GE(message_with("partition=1 timestamp=now", 1).timestamp_ms, before);
  const auto by_pts = message_with("partition=2 timestamp=pts", 2);
  EXPECT_GE(by_pts.timestamp_ms, before);
  EXPECT_LE(by_pts.timestamp_ms, g_get_real_time() / 1000);
}

TEST_F(KafkaSinkMessage, TheCamerasOwnClockIsTheCaptureTime) {
  Pipeline pipeline = make("topic=videocam partition=0 drain-timeout=0");
  pipeline.set_state(GST_STATE_PLAYING);
  const std::vector<std::pair<const char*, guint64>> clocks = {{"timestamp/x-ntp", 3'913'056'000'000'000'000 + 7},
                                                               {"timestamp/x-unix", 1'704'067'200'000'000'007}};
  for (const auto& [format, time] : clocks) {
    GstBuffer* buffer = gst_buffer_new_memdup("frame", 5);
    GstCaps* caps = gst_caps_new_empty_simple(format);
    gst_buffer_add_reference_timestamp_meta(buffer, caps, time, GST_CLOCK_TIME_NONE);
    gst_caps_unref(caps);
    push(pipeline, buffer);
  }
  end(pipeline);
  for (const auto& message : kafka_.read(2)) EXPECT_EQ(message.header("ce_time"), "2024-01-01T00:00:00.000000007Z");
}

TEST_F(KafkaSinkMessage, APictureWithOtherStridesIsPacked) {
  Pipeline pipeline = make("topic=videocam partition=0 drain-timeout=0");
  set_caps(pipeline, "video/x-raw,format=GRAY8,width=3,height=2,framerate=25/1");
  pipeline.set_state(GST_STATE_PLAYING);
  GstBuffer* buffer = gst_buffer_new_memdup("--abc-----def---", 16);
  gsize offset[GST_VIDEO_MAX_PLANES] = {2};
  gint stride[GST_VIDEO_MAX_PLANES] = {8};
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, 3, 2, 1, offset, stride);
  push(pipeline, buffer);
  end(pipeline);
  // Lines of raw video begin at multiples of four bytes.
  const auto value = *kafka_.read(1)[0].value;
  ASSERT_EQ(value.size(), 8U);
  EXPECT_EQ(value.substr(0, 3), "abc");
  EXPECT_EQ(value.substr(4, 3), "def");
}

TEST_F(KafkaSinkMessage, PlanesThatLieElsewhereArePacked) {
  Pipeline pipeline = make("topic=videocam partition=0 drain-timeout=0");
  set_caps(pipeline, "video/x-raw,format=I420,width=8,height=2,framerate=25/1");
  pipeline.set_state(GST_STATE_PLAYING);
  const std::string bytes = "--VVVV----UUUU--YYYYYYYY----yyyyyyyy";
  GstBuffer* buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
  gsize offset[GST_VIDEO_MAX_PLANES] = {16, 10, 2};
  gint stride[GST_VIDEO_MAX_PLANES] = {12, 4, 4};
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420, 8, 2, 3, offset, stride);
  push(pipeline, buffer);
  end(pipeline);
  EXPECT_EQ(kafka_.read(1)[0].value, "YYYYYYYYyyyyyyyyUUUUVVVV");
}

TEST_F(KafkaSinkMessage, RawAudioTravels) {
  Pipeline pipeline(
      "audiotestsrc num-buffers=3 samplesperbuffer=100 ! audio/x-raw,format=S16LE,rate=8000,channels=2 ! "
      "kafkasink topic=videocam partition=0 delivery=lossless bootstrap-servers=" +
      kafka_.bootstrap_servers());
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.wait_for(GST_MESSAGE_EOS);
  for (const auto& message : kafka_.read(3)) {
    EXPECT_EQ(message.value->size(), 400U);
    EXPECT_EQ(message.header("content-type"), "audio/x-raw");
    EXPECT_THAT(*message.header("ce_caps"), HasSubstr("layout=(string)interleaved"));
    EXPECT_EQ(message.header("ce_duration"), "12500000");
  }
}

TEST_F(KafkaSinkMessage, AudioWhoseChannelsLieApartIsAnError) {
  Pipeline pipeline = make("topic=videocam");
  set_caps(pipeline, "audio/x-raw,format=S16LE,rate=8000,channels=2,layout=non-interleaved");
  pipeline.set_state(GST_STATE_PLAYING);
  GstFlowReturn flow = GST_FLOW_OK;
  GstBuffer* buffer = gst_buffer_new_memdup("frame", 5);
  g_signal_emit_by_name(pipeline.element("src"), "push-buffer", buffer, &flow);
  gst_buffer_unref(buffer);
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)), HasSubstr("put audioconvert"));
}

TEST_F(KafkaSinkMessage, WhereTheBytesLayIsNoPartOfTheCaps) {
  Pipeline pipeline = make("topic=videocam partition=0 drain-timeout=0");
  set_caps(pipeline, "video/x-raw(memory:DMABuf),format=GRAY8,width=4,height=1,framerate=25/1");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "gray");
  end(pipeline);
  EXPECT_EQ(kafka_.read(1)[0].header("ce_caps"),
            "video/x-raw, format=(string)GRAY8, width=(int)4, height=(int)1, framerate=(fraction)25/1");
}

TEST_F(KafkaSinkMessage, StreamHeadersTravelInTheCaps) {
  Pipeline pipeline = make("topic=videocam partition=0 drain-timeout=0");
  set_caps(pipeline, "audio/x-opus,channel-mapping-family=0,streamheader=<(buffer)4f7075, (buffer)73486561>");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "opus");
  end(pipeline);
  EXPECT_THAT(*kafka_.read(1)[0].header("ce_caps"), HasSubstr("streamheader=(buffer)< 4f7075, 73486561 >"));
}

TEST_F(KafkaSinkMessage, H265KeepsItsCodecData) {
  Pipeline pipeline = make("topic=videocam partition=0 drain-timeout=0");
  set_caps(pipeline, "video/x-h265,stream-format=hvc1,alignment=au,codec_data=(buffer)0101600000");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "coded");
  end(pipeline);
  const auto message = kafka_.read(1)[0];
  EXPECT_EQ(message.header("content-type"), "video/x-h265");
  EXPECT_THAT(*message.header("ce_caps"), HasSubstr("codec_data=(buffer)0101600000"));
}

TEST_F(KafkaSinkMessage, CapsThatReadersIgnoreAreOneWarning) {
  Pipeline pipeline = make("topic=videocam partition=0 drain-timeout=0");
  set_caps(pipeline, "video/x-h264,codec_data=(buffer)" + std::string(70'000, '0'));
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "coded");
  set_caps(pipeline, "video/x-h264,codec_data=(buffer)" + std::string(80'000, '0'));
  push(pipeline, "coded");
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_WARNING)), HasSubstr("readers ignore them"));
  EXPECT_TRUE(pipeline.messages(GST_MESSAGE_WARNING).empty());
}

TEST_F(KafkaSinkMessage, ABufferOfSeveralMemoriesIsOneMessage) {
  Pipeline pipeline = make("topic=videocam partition=0 drain-timeout=0");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, gst_buffer_append(gst_buffer_new_memdup("first ", 6), gst_buffer_new_memdup("second", 6)));
  end(pipeline);
  EXPECT_EQ(kafka_.read(1)[0].value, "first second");
}

TEST_F(KafkaSinkMessage, ABufferListIsSeveralMessages) {
  Pipeline pipeline = make("topic=videocam partition=0 drain-timeout=0");
  pipeline.set_state(GST_STATE_PLAYING);
  GstBufferList* list = gst_buffer_list_new();
  gst_buffer_list_add(list, gst_buffer_new_memdup("first", 5));
  gst_buffer_list_add(list, gst_buffer_new_memdup("second", 6));
  GstFlowReturn flow = GST_FLOW_OK;
  g_signal_emit_by_name(pipeline.element("src"), "push-buffer-list", list, &flow);
  gst_buffer_list_unref(list);
  end(pipeline);
  const auto messages = kafka_.read(2);
  EXPECT_EQ(messages[0].value, "first");
  EXPECT_EQ(messages[1].value, "second");
}

TEST_F(KafkaSinkMessage, CodedVideoKeepsCodecDataAndDeltaUnits) {
  Pipeline pipeline(
      "videotestsrc num-buffers=10 ! x264enc key-int-max=5 ! video/x-h264,stream-format=avc ! "
      "kafkasink topic=videocam partition=0 drain-timeout=0 delivery=lossless bootstrap-servers=" +
      kafka_.bootstrap_servers());
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.wait_for(GST_MESSAGE_EOS);
  const auto messages = kafka_.read(10);
  int key_frames = 0;
  for (const auto& message : messages) {
    EXPECT_THAT(*message.header("ce_caps"), HasSubstr("codec_data=(buffer)"));
    EXPECT_TRUE(message.header("ce_pts"));
    key_frames += message.header("ce_flags").value_or("").find("delta-unit") == std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(key_frames, 2);
}

TEST_F(KafkaSinkMessage, IsCompressedWhenTheUserAsks) {
  EXPECT_EQ(message_with("partition=0 compression=lz4").value, "frame");
  Pipeline pipeline = make("topic=videocam compression=lz4 config=\"c,compression.codec=gzip\"");
  pipeline.set_state(GST_STATE_PLAYING);
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)),
              HasSubstr("set by the property config and by the property compression"));
}

}  // namespace
}  // namespace gkv
