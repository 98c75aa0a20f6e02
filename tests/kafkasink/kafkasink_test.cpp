#include "common/frame/gstframemeta.h"
#include "kafkasink_fixture.h"

namespace gkv {
namespace {

using test::kTopic;
using test::Payload;
using test::Pipeline;
using test::text_of;
using testing::HasSubstr;

class KafkaSink : public test::KafkaSinkTest {};

TEST_F(KafkaSink, WritesABufferAsOneMessage) {
  Pipeline pipeline = make("topic=videocam source-id=camera-1");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "first frame");
  push(pipeline, "second frame");
  end(pipeline);
  const auto messages = kafka_.read(2);
  EXPECT_EQ(messages[0].value, "first frame");
  EXPECT_EQ(messages[1].value, "second frame");
  EXPECT_EQ(messages[0].key, "camera-1");
  EXPECT_EQ(messages[0].header("content-type"), "image/jpeg");
  EXPECT_EQ(messages[0].header("ce_specversion"), "1.0");
  EXPECT_EQ(messages[0].header("ce_type"), "gst-kafka-vision.frame.v1");
  EXPECT_EQ(messages[0].header("ce_source"), "camera-1");
  EXPECT_EQ(messages[0].header("ce_caps"), "image/jpeg, width=(int)640, height=(int)480");
  EXPECT_EQ(messages[0].header("ce_sequence"), "0");
  EXPECT_EQ(messages[1].header("ce_sequence"), "1");
  EXPECT_EQ(messages[0].header("ce_id"), *messages[0].header("ce_stream") + "-0");
  EXPECT_NE(messages[0].header("ce_id"), messages[1].header("ce_id"));
}

TEST_F(KafkaSink, TheCaptureTimeIsThatOfTheBuffersRunningTime) {
  Pipeline pipeline = make();
  const gint64 before = g_get_real_time() / 1000;
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.wait_for(GST_MESSAGE_STREAM_START);
  const gint64 started = g_get_real_time() / 1000;
  while (g_get_real_time() / 1000 < started + 50) g_thread_yield();  // an encoder that took its time
  GstBuffer* first = gst_buffer_new_memdup("frame", 5);
  GST_BUFFER_PTS(first) = 0;
  push(pipeline, first);
  end(pipeline);
  const auto message = kafka_.read(1)[0];
  EXPECT_GE(message.timestamp_ms, before);
  EXPECT_LE(message.timestamp_ms, started);
  EXPECT_THAT(*message.header("ce_time"), HasSubstr("T"));
}

TEST_F(KafkaSink, KeepsWhatAFrameFromKafkaCarries) {
  Pipeline pipeline = make("topic=videocam source-id=classify");
  pipeline.set_state(GST_STATE_PLAYING);
  GstBuffer* buffer = gst_buffer_new_memdup("frame", 5);
  set_frame_info(buffer, {.source = "camera-7",
                          .capture_time_ns = 1'795'404'106'123'456'789,
                          .stream = "run-1",
                          .sequence = 42,
                          .foreign_headers = {{"traceparent", "00-aa-bb-01"}}});
  set_classifications(buffer, {{.model = "m", .label = "cat", .class_id = 1, .confidence = 0.5}});
  push(pipeline, buffer);
  end(pipeline);
  const auto message = kafka_.read(1)[0];
  EXPECT_EQ(message.key, "camera-7");
  EXPECT_EQ(message.timestamp_ms, 1'795'404'106'123);
  EXPECT_EQ(message.header("ce_time"), "2026-11-23T03:21:46.123456789Z");
  EXPECT_EQ(message.header("ce_stream"), "run-1");
  EXPECT_EQ(message.header("ce_sequence"), "42");
  EXPECT_EQ(message.header("traceparent"), "00-aa-bb-01");
  EXPECT_EQ(message.header("ce_classifications"), R"([{"model":"m","label":"cat","class_id":1,"confidence":0.5}])");
  EXPECT_NE(message.header("ce_id"), "run-1-42");
}

TEST_F(KafkaSink, HoldsThePayloadUntilTheBrokerHasIt) {
  Payload payload(std::string(5000, 'x'));
  Pipeline pipeline = make("topic=videocam drain-timeout=0");
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), 1, 300);
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, payload.buffer());
  EXPECT_TRUE(payload.is_held());
  end(pipeline);
  EXPECT_FALSE(payload.is_held());
  EXPECT_EQ(test::stat(pipeline.element("sink"), "messages-delivered"), 1U);
  EXPECT_EQ(test::stat(pipeline.element("sink"), "bytes-delivered"), 5000U);
}

TEST_F(KafkaSink, LetsThePayloadGoWhenItStopsWithoutABroker) {
  Payload payload(std::string(5000, 'x'));
  kafka_.set_down();
  {
    Pipeline pipeline = make();
    pipeline.set_state(GST_STATE_PLAYING);
    push(pipeline, payload.buffer());
    EXPECT_TRUE(payload.is_held());
  }
  EXPECT_FALSE(payload.is_held());
}

TEST_F(KafkaSink, LetsThePayloadGoWhenItStopsInAnOutage) {
  Payload payload(std::string(5000, 'x'));
  {
    Pipeline pipeline = make();
    pipeline.set_state(GST_STATE_PLAYING);
    push(pipeline, "before");
    kafka_.read(1);
    kafka_.set_down();
    push(pipeline, payload.buffer());
    EXPECT_TRUE(payload.is_held());
  }
  EXPECT_FALSE(payload.is_held());
}

TEST_F(KafkaSink, DoesNotCopyThePayload) {
  Payload payload(std::string(5000, 'x'));
  Pipeline pipeline = make("topic=videocam drain-timeout=0 delivery=lossless");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "before");
  kafka_.read(1);
  kafka_.set_down();
  push(pipeline, payload.buffer());
  payload.bytes.assign(5000, 'y');  // what is sent later is what stands in the buffer then
  kafka_.set_up();
  end(pipeline);
  EXPECT_EQ(kafka_.read(2)[1].value, std::string(5000, 'y'));
}

TEST_F(KafkaSink, AStreamOfBytesHasNoRunningTime) {
  Pipeline pipeline("appsrc name=src format=bytes ! kafkasink name=sink topic=videocam bootstrap-servers=" +
                    kafka_.bootstrap_servers());
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "bytes");
  end(pipeline);
  const auto message = kafka_.read(1)[0];
  EXPECT_EQ(message.value, "bytes");
  EXPECT_FALSE(message.header("ce_pts"));
}

TEST_F(KafkaSink, ATopicThatTheBrokerCannotCreateIsAnErrorAtOnce) {
  rd_kafka_mock_topic_set_error(kafka_.cluster(), "new", RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR);
  Pipeline pipeline = make("topic=new connect-timeout=0");
  pipeline.set_state(GST_STATE_PLAYING);
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)), HasSubstr("create it or correct the property topic"));
}

TEST_F(KafkaSink, AnErrorEndsTheStream) {
  Pipeline pipeline = make("topic=videocam delivery=lossless drain-timeout=0");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "before");
  kafka_.read(1);
  rd_kafka_mock_push_request_errors(kafka_.cluster(), 0 /* Produce */, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  push(pipeline, "denied");
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)), HasSubstr("denies access to the topic"));
  GstFlowReturn flow = GST_FLOW_OK;
  GstBuffer* buffer = gst_buffer_new_memdup("frame", 5);
  g_signal_emit_by_name(pipeline.element("src"), "push-buffer", buffer, &flow);
  gst_buffer_unref(buffer);
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)), HasSubstr("Internal data stream error"));
}

TEST_F(KafkaSink, AnEmptyBufferIsNoMessage) {
  Pipeline pipeline = make();
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, gst_buffer_new());
  push(pipeline, "frame");
  end(pipeline);
  EXPECT_EQ(kafka_.read(1)[0].value, "frame");
}

TEST_F(KafkaSink, AFormatMayChangeInMidStream) {
  Pipeline pipeline = make();
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "jpeg");
  GstCaps* caps = gst_caps_from_string("video/x-raw,format=BGR,width=1,height=1");
  g_object_set(pipeline.element("src"), "caps", caps, nullptr);
  gst_caps_unref(caps);
  push(pipeline, "bgr");
  end(pipeline);
  const auto messages = kafka_.read(2);
  EXPECT_EQ(messages[0].header("content-type"), "image/jpeg");
  EXPECT_EQ(messages[1].header("content-type"), "video/x-raw");
  EXPECT_THAT(*messages[1].header("ce_caps"), HasSubstr("format=(string)BGR"));
}

TEST_F(KafkaSink, ABrokerThatIsNotThereIsAnErrorAfterTheConnectTimeout) {
  kafka_.set_down();
  Pipeline pipeline = make("topic=videocam connect-timeout=300");
  EXPECT_NE(pipeline.set_state(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  EXPECT_EQ(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)),
            "No Kafka broker answers at " + kafka_.bootstrap_servers() + "; check the property bootstrap-servers.");
}

TEST_F(KafkaSink, ATopicThatIsNotThereIsAnErrorAfterTheConnectTimeout) {
  rd_kafka_mock_topic_set_error(kafka_.cluster(), "misspelt", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  Pipeline pipeline = make("topic=misspelt connect-timeout=300");
  EXPECT_NE(pipeline.set_state(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  EXPECT_EQ(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)),
            "The topic \"misspelt\" does not exist on the Kafka broker at " + kafka_.bootstrap_servers() +
                "; create it or correct the property topic.");
}

TEST_F(KafkaSink, ATopicThatComesLaterIsWaitedFor) {
  rd_kafka_mock_topic_set_error(kafka_.cluster(), kTopic, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  Pipeline pipeline = make("topic=videocam connect-timeout=0");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "frame");
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_WARNING)), HasSubstr("correct the property topic"));
  rd_kafka_mock_topic_set_error(kafka_.cluster(), kTopic, RD_KAFKA_RESP_ERR_NO_ERROR);
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_INFO)), HasSubstr("answers again"));
  EXPECT_EQ(kafka_.read(1)[0].value, "frame");
}

TEST_F(KafkaSink, ATopicThatMustNotBeWrittenIsAnErrorAtOnce) {
  rd_kafka_mock_topic_set_error(kafka_.cluster(), "secret", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  Pipeline pipeline = make("topic=secret connect-timeout=0");
  pipeline.set_state(GST_STATE_PLAYING);
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)), HasSubstr("denies access to the topic \"secret\""));
}

TEST_F(KafkaSink, AnOutageIsOneWarningAndItsEndOneMessage) {
  Pipeline pipeline = make("topic=videocam config=\"c,message.timeout.ms=200\"");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "before");
  kafka_.read(1);
  kafka_.set_down();
  GstElement* sink = pipeline.element("sink");
  while (test::stat(sink, "messages-failed") < 3) push(pipeline, "during");
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_WARNING)), HasSubstr("check the property bootstrap-servers"));
  kafka_.set_up();
  const guint64 delivered = test::stat(sink, "messages-delivered");
  while (test::stat(sink, "messages-delivered") == delivered) push(pipeline, "after");
  const auto either = static_cast<GstMessageType>(GST_MESSAGE_WARNING | GST_MESSAGE_INFO);
  EXPECT_THAT(text_of(pipeline.wait_for(either)), HasSubstr("answers again"));
  EXPECT_TRUE(pipeline.messages(either).empty());
}

TEST_F(KafkaSink, FramesLeftAtTheEndAreAWarning) {
  kafka_.set_down();
  Pipeline pipeline = make("topic=videocam drain-timeout=50");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "frame");
  gst_element_send_event(pipeline.get(), gst_event_new_eos());
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_WARNING)), HasSubstr("1 frames were not delivered"));
  pipeline.wait_for(GST_MESSAGE_EOS);
}

TEST_F(KafkaSink, ImpossiblePropertiesAreErrorsThatNameThem) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "set the property topic"},
      {"topic=" + std::string(600, 't'), "correct the property topic"},
      {"topic=t config=\"c,linger=1\"", "knows no key \"linger\"; correct the property config"},
      {"topic=t config=\"c,linger.ms=soon\"", "the value \"soon\" for the key linger.ms; correct the property config"},
      {"topic=t config=\"c,client.id=1.10\"", "write it as client.id=(string)VALUE in the property config"},
      {"topic=t config=\"c,acks=0,enable.idempotence=true\"", "correct the property config"},
      {"topic=t bootstrap-servers=\"\"", "set the property bootstrap-servers"},
  };
  for (const auto& [properties, text] : cases) {
    Pipeline pipeline = make(properties);
    pipeline.set_state(GST_STATE_PLAYING);
    EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)), HasSubstr(text)) << properties;
  }
}

TEST_F(KafkaSink, StartsAndStopsManyTimes) {
  Pipeline pipeline = make();
  for (int i = 0; i < 200; ++i) {
    if (i == 100) kafka_.set_down();
    pipeline.set_state(GST_STATE_PLAYING);
    EXPECT_EQ(pipeline.set_state(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  }
}

TEST_F(KafkaSink, StopsInTheMiddleOfAnOutage) {
  Pipeline pipeline = make("topic=videocam delivery=lossless max-queue-frames=2");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "before");
  kafka_.read(1);
  kafka_.set_down();
  push(pipeline, "during");
  EXPECT_EQ(pipeline.set_state(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
}

TEST_F(KafkaSink, AUriSetsBrokersTopicAndProperties) {
  GError* error = nullptr;
  const std::string uri = "kafka://" + kafka_.bootstrap_servers() + "/videocam?source-id=entrance&delivery=lossless";
  GstElement* sink = gst_element_make_from_uri(GST_URI_SINK, uri.c_str(), "sink", &error);
  ASSERT_TRUE(sink) << error->message;
  Pipeline pipeline("appsrc name=src format=time is-live=true caps=image/jpeg ! identity name=last");
  gst_bin_add(GST_BIN(pipeline.get()), sink);
  gst_element_link(pipeline.element("last"), sink);
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "frame");
  end(pipeline);
  EXPECT_EQ(kafka_.read(1)[0].key, "entrance");
}

}  // namespace
}  // namespace gkv
