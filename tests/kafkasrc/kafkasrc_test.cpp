#include <filesystem>
#include <iterator>
#include <thread>

#include "common/frame/gstframemeta.h"
#include "kafkasrc_fixture.h"

namespace gkv {
namespace {

using test::bytes_of;
using test::Pipeline;
using test::SamplePtr;
using test::text_of;
using testing::HasSubstr;

const std::string kJpeg("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01", 12);

class KafkaSrc : public test::KafkaSrcTest {};

TEST_F(KafkaSrc, AMessageIsABufferWithWhatItsHeadersSay) {
  kafka_.write({.key = "camera-1",
                .value = "pixels",
                .headers = {{"content-type", "image/jpeg"},
                            {"ce_type", "gst-kafka-vision.frame.v1"},
                            {"ce_source", "camera-1"},
                            {"ce_stream", "run-1"},
                            {"ce_sequence", "42"},
                            {"ce_time", "2026-11-23T03:21:46.123456789Z"},
                            {"ce_caps", "image/jpeg, width=(int)640, height=(int)480"},
                            {"ce_duration", "40000000"},
                            {"ce_flags", "delta-unit"},
                            {"ce_classifications", R"([{"model":"m","label":"cat","class_id":1,"confidence":0.5}])"},
                            {"traceparent", "00-aa-bb-01"}},
                .timestamp_ms = 1'795'404'106'123});
  Pipeline pipeline = make_reader();
  pipeline.set_state(GST_STATE_PLAYING);
  const SamplePtr sample = pull(pipeline);
  GstBuffer* buffer = gst_sample_get_buffer(sample.get());
  EXPECT_EQ(bytes_of(buffer), "pixels");
  EXPECT_EQ(caps_of(sample), "image/jpeg, width=(int)640, height=(int)480");
  EXPECT_EQ(GST_BUFFER_DURATION(buffer), 40 * GST_MSECOND);
  EXPECT_TRUE(GST_BUFFER_PTS_IS_VALID(buffer));
  EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT));
  const FrameInfo expected{
      .source = "camera-1",
      .capture_time_ns = 1'795'404'106'123'456'789,
      .stream = "run-1",
      .sequence = 42,
      .position = KafkaPosition{.topic = "videocam", .partition = 0, .offset = 0, .timestamp_ms = 1'795'404'106'123},
      .foreign_headers = {{"traceparent", "00-aa-bb-01"}}};
  EXPECT_EQ(frame_info(buffer), expected);
  ASSERT_EQ(classifications(buffer).size(), 1U);
  EXPECT_EQ(classifications(buffer)[0].label, "cat");
}

TEST_F(KafkaSrc, CapsOfAForeignMessageAreFoundFromItsBytes) {
  kafka_.write({.value = kJpeg});
  Pipeline pipeline = make_reader();
  pipeline.set_state(GST_STATE_PLAYING);
  EXPECT_THAT(caps_of(pull(pipeline)), HasSubstr("image/jpeg"));
}

TEST_F(KafkaSrc, CapsOfAForeignMessageAreThoseOfTheProperty) {
  kafka_.write({.key = "camera-9", .value = "bytes"});
  Pipeline pipeline = make_reader("caps=application/x-test,rate=1");
  pipeline.set_state(GST_STATE_PLAYING);
  const SamplePtr sample = pull(pipeline);
  EXPECT_EQ(caps_of(sample), "application/x-test, rate=(int)1");
  EXPECT_EQ(frame_source(gst_sample_get_buffer(sample.get())), "camera-9");
}

TEST_F(KafkaSrc, BytesThatAreNothingKnownAreAnErrorThatNamesTheProperty) {
  kafka_.write({.value = "\x01\x02"});
  Pipeline pipeline = make_reader();
  pipeline.set_state(GST_STATE_PLAYING);
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)), HasSubstr("set the property caps"));
}

TEST_F(KafkaSrc, AnElementThatDoesNotTakeTheFramesIsAnErrorThatNamesTheFormat) {
  kafka_.write({.value = kJpeg});
  Pipeline pipeline("kafkasrc topic=videocam mode=stream start-offset=earliest bootstrap-servers=" +
                    kafka_.bootstrap_servers() + " ! jpegenc ! fakesink");
  pipeline.set_state(GST_STATE_PLAYING);
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)), HasSubstr("which are image/jpeg; put what converts"));
}

TEST_F(KafkaSrc, CapsFollowTheMessages) {
  kafka_.write({.value = "a", .headers = {{"ce_caps", "image/jpeg, width=(int)1"}}});
  kafka_.write({.value = "b", .headers = {{"ce_caps", "image/png, width=(int)2"}}});
  kafka_.write({.value = "c", .headers = {{"ce_caps", "image/jpeg, width=(int)1"}}});
  Pipeline pipeline = make_reader();
  pipeline.set_state(GST_STATE_PLAYING);
  EXPECT_EQ(caps_of(pull(pipeline)), "image/jpeg, width=(int)1");
  EXPECT_EQ(caps_of(pull(pipeline)), "image/png, width=(int)2");
  EXPECT_EQ(caps_of(pull(pipeline)), "image/jpeg, width=(int)1");
}

TEST_F(KafkaSrc, WhatIsNoFrameIsSkippedAndSaid) {
  kafka_.write({.key = "camera-1"});
  kafka_.write({.value = ""});
  kafka_.write({.value = "other", .headers = {{"ce_type", "gst-kafka-vision.frame.v2"}}});
  kafka_.write({.value = kJpeg});
  Pipeline pipeline = make_reader();
  pipeline.set_state(GST_STATE_PLAYING);
  EXPECT_EQ(bytes_of(gst_sample_get_buffer(pull(pipeline).get())), kJpeg);
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_WARNING)), HasSubstr("was skipped"));
  EXPECT_TRUE(pipeline.messages(GST_MESSAGE_WARNING).empty());  // said once a minute
}

TEST_F(KafkaSrc, AMalformedHeaderIsIgnoredAndSaid) {
  for (const Header& header : std::vector<Header>{{"ce_caps", "image/jpeg, width=(int"},
                                                  {"ce_caps", std::string(1 << 20, 'a')},
                                                  {"ce_caps", "image/jpeg, a=" + std::string(60'000, '{')},
                                                  {"ce_time", "yesterday"},
                                                  {"ce_duration", "-5"},
                                                  {"ce_classifications", std::string(100'000, '[')},
                                                  {"ce_classifications", "/*\"*/" + std::string(200'000, '[')}}) {
    kafka_.write({.value = kJpeg, .headers = {header}});
    Pipeline pipeline = make_reader();
    pipeline.set_state(GST_STATE_PLAYING);
    const SamplePtr sample = pull(pipeline);
    EXPECT_EQ(bytes_of(gst_sample_get_buffer(sample.get())), kJpeg);
    EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_WARNING)), HasSubstr("malformed")) << header.name;
  }
}

TEST_F(KafkaSrc, ALargePayloadIsNotCopiedAndOutlivesTheElement) {
  const std::string large = kJpeg + std::string(500'000, 'x');
  kafka_.write({.value = large});
  SamplePtr sample;
  {
    Pipeline pipeline = make_reader();
    pipeline.set_state(GST_STATE_PLAYING);
    sample = pull(pipeline);
  }
  GstBuffer* buffer = gst_sample_get_buffer(sample.get());
  EXPECT_TRUE(GST_MEMORY_IS_READONLY(gst_buffer_peek_memory(buffer, 0)));
  EXPECT_EQ(bytes_of(buffer), large);
}

TEST_F(KafkaSrc, ASmallPayloadIsCopiedOutOfItsFetch) {
  kafka_.write({.value = kJpeg});
  Pipeline pipeline = make_reader();
  pipeline.set_state(GST_STATE_PLAYING);
  const SamplePtr sample = pull(pipeline);
  EXPECT_FALSE(GST_MEMORY_IS_READONLY(gst_buffer_peek_memory(gst_sample_get_buffer(sample.get()), 0)));
}

TEST_F(KafkaSrc, ABrokerThatIsNotThereIsAnErrorAfterTheConnectTimeout) {
  kafka_.set_down();
  Pipeline pipeline = make("topic=videocam connect-timeout=300");
  EXPECT_NE(pipeline.set_state(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)), HasSubstr("check the property bootstrap-servers"));
}

TEST_F(KafkaSrc, ATopicThatIsNotThereIsAnErrorAfterTheConnectTimeout) {
  rd_kafka_mock_topic_set_error(kafka_.cluster(), "misspelt", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  Pipeline pipeline = make("topic=misspelt connect-timeout=300");
  EXPECT_NE(pipeline.set_state(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)), HasSubstr("create it or correct the property topic"));
}

TEST_F(KafkaSrc, GoesOnAfterAnOutage) {
  Pipeline pipeline = make_reader();
  pipeline.set_state(GST_STATE_PLAYING);
  kafka_.write({.value = kJpeg});
  pull(pipeline);
  kafka_.set_down();
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_WARNING)), HasSubstr("check the property bootstrap-servers"));
  kafka_.set_up();
  kafka_.write({.value = kJpeg + "after"});
  EXPECT_EQ(bytes_of(gst_sample_get_buffer(pull(pipeline).get())), kJpeg + "after");
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_INFO)), HasSubstr("answers again"));
}

TEST_F(KafkaSrc, ImpossiblePropertiesAreErrorsThatNameThem) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "set the property topic"},
      {"topic=t start-offset=committed", "set the property group-id"},
      {"topic=t caps=\"video/x-raw,format={RGB,BGR}\"", "correct the property caps"},
      {"topic=" + std::string(600, 't'), "correct the property topic"},
      {"topic=t bootstrap-servers=\"\"", "set the property bootstrap-servers"},
      {"topic=t start-offset=newest", "set the property start-offset"},
      {"topic=t start-time=2026-11-23T03:21:46Z", "start-offset=timestamp"},
      {"topic=t start-offset=timestamp start-time=noon", "in the property start-time"},
      {"topic=t stop=time", "in the property stop-time"},
      {"topic=t stop-time=2026-11-23T03:21:46Z", "stop=time"},
      {"topic=t partitions=a", "in the property partitions"},
      {"topic=t partitions=0 group-id=g", "unset the property partitions or group-id"},
      {"topic=t assignor=fair", "property assignor"},
      {"topic=t config-file=/no/such.conf", "The file /no/such.conf cannot be read"},
      {"topic=t config=\"c,fetch=1\"", "knows no key \"fetch\"; correct the property config"},
  };
  for (const auto& [properties, text] : cases) {
    Pipeline pipeline = make(properties);
    EXPECT_EQ(pipeline.set_state(GST_STATE_READY), GST_STATE_CHANGE_FAILURE) << properties;
    EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)), HasSubstr(text)) << properties;
  }
}

TEST_F(KafkaSrc, StartsAndStopsManyTimes) {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
  };
  Pipeline pipeline = make("topic=videocam start-offset=earliest name=reader");
  kafka_.write({.value = kJpeg});
  const gint references = GST_OBJECT_REFCOUNT_VALUE(pipeline.element("reader"));
  const auto threads_before = threads();
  for (int i = 0; i < 200; ++i) {
    if (i == 100) kafka_.set_down();
    pipeline.set_state(GST_STATE_PLAYING);
    if (i < 100 && i % 10 == 0) pull(pipeline);
    EXPECT_EQ(pipeline.set_state(i % 2 == 0 ? GST_STATE_READY : GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  }
  // What was stopped ends on threads of its own; each holds the element until then.
  while (GST_OBJECT_REFCOUNT_VALUE(pipeline.element("reader")) > references) std::this_thread::yield();
  while (threads() > threads_before + 2) std::this_thread::yield();  // GStreamer's pool keeps some
}

}  // namespace
}  // namespace gkv
