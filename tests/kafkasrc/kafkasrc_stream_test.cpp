#include "common/frame/gstframemeta.h"
#include "kafkasrc_fixture.h"

namespace gkv {
namespace {

using test::bytes_of;
using test::Pipeline;
using test::SamplePtr;
using testing::HasSubstr;

constexpr gint64 kUnix = 1'795'404'106;  // 2026-11-23T03:21:46Z

/// What a stream of frames looks like to the pipeline: time, gaps, its end.
class KafkaSrcStream : public test::KafkaSrcTest {
 protected:
  void write(int sequence, const std::string& stream = "run-1", const std::string& source = "camera-1") {
    kafka_.write({.key = source,
                  .value = "frame " + std::to_string(sequence),
                  .headers = {{"ce_source", source},
                              {"ce_stream", stream},
                              {"ce_sequence", std::to_string(sequence)},
                              {"ce_caps", "image/jpeg"},
                              {"ce_pts", std::to_string(7'000'000'000 + sequence * 40'000'000LL)},
                              {"ce_time", "2026-11-23T03:21:4" + std::to_string(sequence % 10) + "Z"}},
                  .timestamp_ms = (kUnix - 6 + sequence) * 1000});
  }
  static GstBuffer* buffer_of(const SamplePtr& sample) { return gst_sample_get_buffer(sample.get()); }
  static bool is_discont(const SamplePtr& sample) {
    return GST_BUFFER_FLAG_IS_SET(buffer_of(sample), GST_BUFFER_FLAG_DISCONT);
  }
};

TEST_F(KafkaSrcStream, EndsAtTheEndWhenAsked) {
  for (int i = 0; i < 3; ++i) write(i);
  Pipeline pipeline = make_reader("stop=end");
  pipeline.set_state(GST_STATE_PLAYING);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bytes_of(buffer_of(pull(pipeline))), "frame " + std::to_string(i));
  pipeline.wait_for(GST_MESSAGE_EOS);
}

TEST_F(KafkaSrcStream, AGapIsMarkedAndTold) {
  for (const int sequence : {0, 1, 5, 6}) write(sequence);
  Pipeline pipeline = make_reader("stop=end name=reader");
  pipeline.set_state(GST_STATE_PLAYING);
  pull(pipeline);
  EXPECT_FALSE(is_discont(pull(pipeline)));
  EXPECT_TRUE(is_discont(pull(pipeline)));
  EXPECT_FALSE(is_discont(pull(pipeline)));
  const auto message = pipeline.wait_for(GST_MESSAGE_ELEMENT);
  const GstStructure* gap = gst_message_get_structure(message.get());
  EXPECT_TRUE(gst_structure_has_name(gap, "kafka-gap"));
  EXPECT_STREQ(gst_structure_get_string(gap, "source"), "camera-1");
  guint64 lost = 0;
  gst_structure_get_uint64(gap, "lost", &lost);
  EXPECT_EQ(lost, 3U);
  EXPECT_EQ(test::stat(pipeline.element("reader"), "messages-lost"), 3U);
}

TEST_F(KafkaSrcStream, ANewRunOfTheCameraIsNoGap) {
  write(7, "run-1");
  write(0, "run-2");
  Pipeline pipeline = make_reader("stop=end name=reader");
  pipeline.set_state(GST_STATE_PLAYING);
  pull(pipeline);
  EXPECT_FALSE(is_discont(pull(pipeline)));
  EXPECT_EQ(test::stat(pipeline.element("reader"), "messages-lost"), 0U);
}

TEST_F(KafkaSrcStream, TheCaptureTimeIsAReferenceTimestamp) {
  write(6);
  Pipeline pipeline = make_reader();
  pipeline.set_state(GST_STATE_PLAYING);
  const SamplePtr sample = pull(pipeline);
  GstCaps* caps = gst_caps_new_empty_simple("timestamp/x-unix");
  const auto* meta = gst_buffer_get_reference_timestamp_meta(buffer_of(sample), caps);
  gst_caps_unref(caps);
  ASSERT_TRUE(meta);
  EXPECT_EQ(meta->timestamp, guint64(kUnix) * GST_SECOND);
}

TEST_F(KafkaSrcStream, ARecordingKeepsItsTimes) {
  for (int i = 0; i < 3; ++i) write(i);
  Pipeline pipeline = make_reader("timestamps=original stop=end");
  EXPECT_EQ(pipeline.set_state(GST_STATE_PLAYING), GST_STATE_CHANGE_ASYNC);  // not live: it prerolls
  for (int i = 0; i < 3; ++i) {
    const SamplePtr sample = pull(pipeline);
    EXPECT_EQ(GST_BUFFER_PTS(buffer_of(sample)), 7 * GST_SECOND + i * 40 * GST_MSECOND);
    const GstSegment* segment = gst_sample_get_segment(sample.get());
    EXPECT_EQ(gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer_of(sample))),
              i * 40 * GST_MSECOND);
  }
}

TEST_F(KafkaSrcStream, LiveTimeStampsOfTheCaptureAllowForTheFramesAge) {
  Pipeline pipeline = make("topic=videocam timestamps=capture latency=300 start-offset=earliest name=reader");
  write(0);
  pipeline.set_state(GST_STATE_PLAYING);
  const SamplePtr sample = pull(pipeline);
  EXPECT_EQ(GST_BUFFER_PTS(buffer_of(sample)), 0U);  // captured before the pipeline was started
  GstQuery* query = gst_query_new_latency();
  ASSERT_TRUE(gst_element_query(pipeline.element("reader"), query));
  gboolean live = FALSE;
  GstClockTime min = 0;
  gst_query_parse_latency(query, &live, &min, nullptr);
  gst_query_unref(query);
  EXPECT_TRUE(live);
  EXPECT_EQ(min, 300 * GST_MSECOND);
}

TEST_F(KafkaSrcStream, OnlyARecordingWithCaptureTimesCanBeSought) {
  write(0);
  const auto is_seekable = [&](const std::string& properties) {
    Pipeline pipeline = make_reader(properties);
    pipeline.set_state(GST_STATE_PLAYING);
    pull(pipeline);
    GstQuery* query = gst_query_new_seeking(GST_FORMAT_TIME);
    gboolean seekable = FALSE;
    if (gst_element_query(pipeline.get(), query)) gst_query_parse_seeking(query, nullptr, &seekable, nullptr, nullptr);
    gst_query_unref(query);
    return seekable;
  };
  EXPECT_TRUE(is_seekable("timestamps=capture"));
  EXPECT_FALSE(is_seekable("timestamps=original"));
  EXPECT_FALSE(is_seekable(""));
}

TEST_F(KafkaSrcStream, ASeekToTheBeginningPlaysFromThere) {
  for (int i = 0; i < 4; ++i) write(i);
  Pipeline pipeline = make_reader("timestamps=capture name=reader");
  pipeline.set_state(GST_STATE_PLAYING);
  for (int i = 0; i < 4; ++i) pull(pipeline);
  ASSERT_TRUE(gst_element_seek_simple(pipeline.get(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0));
  const SamplePtr sample = pull(pipeline);
  EXPECT_EQ(bytes_of(buffer_of(sample)), "frame 0");
  EXPECT_EQ(gst_segment_to_running_time(gst_sample_get_segment(sample.get()), GST_FORMAT_TIME,
                                        GST_BUFFER_PTS(buffer_of(sample))),
            0U);
}

TEST_F(KafkaSrcStream, ARecordingGoesOnOverANewRunOfTheCamera) {
  for (const int sequence : {0, 1}) write(sequence, "run-1");
  for (const int sequence : {0, 1}) {
    kafka_.write({.key = "camera-1",
                  .value = "frame",
                  .headers = {{"ce_source", "camera-1"},
                              {"ce_stream", "run-2"},
                              {"ce_sequence", std::to_string(sequence)},
                              {"ce_caps", "image/jpeg"},
                              {"ce_pts", std::to_string(sequence * 40'000'000)}}});
  }
  Pipeline pipeline = make_reader("timestamps=original stop=end");
  pipeline.set_state(GST_STATE_PLAYING);
  std::vector<GstClockTime> times;
  for (int i = 0; i < 4; ++i) {
    const SamplePtr sample = pull(pipeline);
    times.push_back(gst_segment_to_running_time(gst_sample_get_segment(sample.get()), GST_FORMAT_TIME,
                                                GST_BUFFER_PTS(buffer_of(sample))));
  }
  EXPECT_EQ(times, (std::vector<GstClockTime>{0, 40 * GST_MSECOND, 40 * GST_MSECOND, 80 * GST_MSECOND}));
}

TEST_F(KafkaSrcStream, AMessageOfUnknownFormatDoesNotEndAStreamThatRuns) {
  write(0);
  kafka_.write({.key = "camera-1", .value = "hello"});
  write(1);
  Pipeline pipeline = make_reader("stop=end name=reader");
  pipeline.set_state(GST_STATE_PLAYING);
  EXPECT_EQ(bytes_of(buffer_of(pull(pipeline))), "frame 0");
  EXPECT_EQ(bytes_of(buffer_of(pull(pipeline))), "frame 1");
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_WARNING)), HasSubstr("nothing tells what it is was skipped"));
  EXPECT_EQ(test::stat(pipeline.element("reader"), "dropped-unknown-format"), 1U);
}

TEST_F(KafkaSrcStream, StatsTellWhatHappens) {
  write(0);
  kafka_.write({.key = "other", .value = "x"});
  kafka_.write({.key = "camera-1"});
  write(1);
  Pipeline pipeline = make_reader("source-filter=camera-* stop=end name=reader");
  pipeline.set_state(GST_STATE_PLAYING);
  pull(pipeline);
  pull(pipeline);
  pipeline.wait_for(GST_MESSAGE_EOS);
  GstElement* reader = pipeline.element("reader");
  EXPECT_EQ(test::stat(reader, "messages-in"), 4U);
  EXPECT_EQ(test::stat(reader, "messages-out"), 2U);
  EXPECT_EQ(test::stat(reader, "bytes-out"), 14U);
  EXPECT_EQ(test::stat(reader, "dropped-filtered"), 1U);
  EXPECT_EQ(test::stat(reader, "dropped-empty"), 1U);
  EXPECT_GT(test::stat(reader, "since-last-message"), 0U);
}

TEST_F(KafkaSrcStream, AFlowErrorDownstreamIsNotCommitted) {
  for (int i = 0; i < 2; ++i) write(i);
  {
    Pipeline pipeline("kafkasrc mode=stream commit=pushed group-id=archive topic=videocam " + connection() +
                      " ! identity error-after=1 ! appsink name=sink");
    pipeline.set_state(GST_STATE_PLAYING);
    pipeline.wait_for(GST_MESSAGE_ERROR);
  }
  Pipeline pipeline = make("mode=stream group-id=archive topic=videocam");
  pipeline.set_state(GST_STATE_PLAYING);
  EXPECT_EQ(bytes_of(buffer_of(pull(pipeline))), "frame 0");
}

TEST_F(KafkaSrcStream, AUriDecodes) {
  {
    Pipeline writer(
        "videotestsrc num-buffers=3 ! jpegenc ! kafkasink topic=videocam delivery=lossless drain-timeout=0 "
        "bootstrap-servers=" +
        kafka_.bootstrap_servers());
    writer.set_state(GST_STATE_PLAYING);
    writer.wait_for(GST_MESSAGE_EOS);
  }
  Pipeline pipeline("uridecodebin uri=kafka://" + kafka_.bootstrap_servers() +
                    "/videocam?mode=stream&start-offset=earliest ! appsink name=sink");
  pipeline.set_state(GST_STATE_PLAYING);
  EXPECT_THAT(caps_of(pull(pipeline)), HasSubstr("video/x-raw"));
}

TEST_F(KafkaSrcStream, AWrongUriIsAnErrorThatSaysWhy) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"kafka://h:1", "names no broker or no topic"},
      {"kafka:///t", "names no broker or no topic"},
      {"kafka://alice:secret@h:1/t", "config-file"},
      {"kafka://h:1/t?speed=1", "the property speed"},
      {"kafka://h:1/t?mode=slow", "a value for the property mode"},
      {"kafka://h:1/t?mode", "a property without a value"},
  };
  for (const auto& [uri, text] : cases) {
    GError* error = nullptr;
    EXPECT_FALSE(gst_element_make_from_uri(GST_URI_SRC, uri.c_str(), nullptr, &error)) << uri;
    ASSERT_TRUE(error) << uri;
    EXPECT_THAT(error->message, HasSubstr(text));
    EXPECT_THAT(error->message, Not(HasSubstr("secret")));
    g_error_free(error);
  }
}

TEST_F(KafkaSrcStream, AUriTellsWhatItSets) {
  GstElement* source = gst_element_make_from_uri(GST_URI_SRC, "kafka://a:1,b:2/cam%20era?group-id=g", nullptr, nullptr);
  ASSERT_TRUE(source);
  gchar* group = nullptr;
  g_object_get(source, "group-id", &group, nullptr);
  EXPECT_STREQ(group, "g");
  gchar* uri = gst_uri_handler_get_uri(GST_URI_HANDLER(source));
  EXPECT_STREQ(uri, "kafka://a:1,b:2/cam%20era");
  g_free(group);
  g_free(uri);
  gst_object_unref(source);
}

}  // namespace
}  // namespace gkv
