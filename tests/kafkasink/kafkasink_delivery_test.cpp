#include <thread>

#include "kafkasink_fixture.h"

namespace gkv {
namespace {

using test::Pipeline;
using test::text_of;
using testing::HasSubstr;

constexpr int kProduce = 0;

/// What becomes of frames that Kafka does not take at once.
class KafkaSinkDelivery : public test::KafkaSinkTest {
 protected:
  static guint64 stat(Pipeline& pipeline, const char* name) { return test::stat(pipeline.element("sink"), name); }
};

TEST_F(KafkaSinkDelivery, LiveDropsTheOldestWaitingFrame) {
  kafka_.set_down();
  Pipeline pipeline = make("topic=videocam max-queue-frames=4");
  pipeline.set_state(GST_STATE_PLAYING);
  for (int i = 0; i < 20; ++i) push(pipeline, "frame " + std::to_string(i));
  EXPECT_EQ(test::stat(pipeline.element("sink"), "dropped-queue-full"), 16U);
  kafka_.set_up();
  const auto messages = kafka_.read(4);
  EXPECT_EQ(messages[0].value, "frame 16");
  EXPECT_EQ(messages[3].value, "frame 19");
}

TEST_F(KafkaSinkDelivery, LosslessWaitsForRoomAndLosesNothing) {
  kafka_.set_down();
  Pipeline pipeline = make("topic=videocam max-queue-frames=4 delivery=lossless drain-timeout=0");
  pipeline.set_state(GST_STATE_PLAYING);
  for (int i = 0; i < 4; ++i) push(pipeline, "frame " + std::to_string(i));
  auto fifth = std::async(std::launch::async, [&] { push(pipeline, "frame 4"); });
  EXPECT_EQ(fifth.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  kafka_.set_up();
  fifth.get();
  end(pipeline);
  const auto messages = kafka_.read(5);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(messages[i].value, "frame " + std::to_string(i));
}

TEST_F(KafkaSinkDelivery, AStateChangeEndsTheWaitForRoom) {
  kafka_.set_down();
  Pipeline pipeline = make("topic=videocam max-queue-frames=2 delivery=lossless");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "frame");
  push(pipeline, "frame");
  GstFlowReturn flow = GST_FLOW_OK;
  GstBuffer* buffer = gst_buffer_new_memdup("frame", 5);
  g_signal_emit_by_name(pipeline.element("src"), "push-buffer", buffer, &flow);
  gst_buffer_unref(buffer);
  EXPECT_EQ(pipeline.set_state(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
}

TEST_F(KafkaSinkDelivery, LosslessLosesNothingOverAPause) {
  kafka_.set_down();
  Pipeline pipeline = make("topic=videocam max-queue-frames=2 delivery=lossless drain-timeout=0");
  pipeline.set_state(GST_STATE_PLAYING);
  for (int i = 0; i < 2; ++i) push(pipeline, "frame " + std::to_string(i));
  GstFlowReturn flow = GST_FLOW_OK;
  for (int i = 2; i < 5; ++i) {  // the third waits for room in the sink
    const std::string text = "frame " + std::to_string(i);
    GstBuffer* buffer = gst_buffer_new_memdup(text.data(), text.size());
    g_signal_emit_by_name(pipeline.element("src"), "push-buffer", buffer, &flow);
    gst_buffer_unref(buffer);
  }
  pipeline.set_state(GST_STATE_PAUSED);
  kafka_.set_up();
  pipeline.set_state(GST_STATE_PLAYING);
  end(pipeline);
  const auto messages = kafka_.read(5);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(messages[i].value, "frame " + std::to_string(i));
}

TEST_F(KafkaSinkDelivery, AMessageThatTheBrokerRefusesIsAWarning) {
  Pipeline pipeline = make();
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "before");
  kafka_.read(1);
  rd_kafka_mock_push_request_errors(kafka_.cluster(), kProduce, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  push(pipeline, "too large");
  rd_kafka_mock_push_request_errors(kafka_.cluster(), kProduce, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_WARNING)), HasSubstr("raise the property max-message-bytes"));
  push(pipeline, "too large again");
  while (test::stat(pipeline.element("sink"), "messages-failed") < 2) g_thread_yield();
  push(pipeline, "after");
  end_without_event(pipeline);  // it is said once a minute
  EXPECT_EQ(kafka_.read(2)[1].value, "after");
}

TEST_F(KafkaSinkDelivery, TheQueueIsBoundedInBytes) {
  kafka_.set_down();
  Pipeline pipeline = make("topic=videocam max-queue-bytes=2500");
  pipeline.set_state(GST_STATE_PLAYING);
  for (const char name : {'a', 'b', 'c'}) push(pipeline, std::string(1000, name));
  EXPECT_EQ(stat(pipeline, "queue-bytes"), 2000U);
  EXPECT_EQ(stat(pipeline, "queue-frames"), 2U);
  EXPECT_EQ(stat(pipeline, "dropped-queue-full"), 1U);
  push(pipeline, std::string(5000, 'd'));  // alone it is taken
  EXPECT_EQ(stat(pipeline, "queue-bytes"), 5000U);
  kafka_.set_up();
  EXPECT_EQ(kafka_.read(1)[0].value, std::string(5000, 'd'));
}

TEST_F(KafkaSinkDelivery, AFrameThatHasBecomeTooOldIsNotSent) {
  kafka_.set_down();
  Pipeline pipeline = make("topic=videocam max-age=1000");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "old");
  const gint64 later = g_get_monotonic_time() + 1'100'000;
  while (g_get_monotonic_time() < later) std::this_thread::yield();
  kafka_.set_up();
  while (stat(pipeline, "dropped-too-old") == 0) std::this_thread::yield();
  push(pipeline, "new");
  EXPECT_EQ(kafka_.read(1)[0].value, "new");
}

TEST_F(KafkaSinkDelivery, AFrameAboveThePropertyIsDroppedInLiveAndTold) {
  Pipeline pipeline = make("topic=videocam max-message-bytes=3000");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, std::string(5000, 'x'));
  EXPECT_EQ(
      text_of(pipeline.wait_for(GST_MESSAGE_WARNING)),
      "A frame of 5000 bytes is larger than the property max-message-bytes allows, which is 3000; raise it. 1 such "
      "frames so far.");
  push(pipeline, "small");
  end(pipeline);
  EXPECT_EQ(kafka_.read(1)[0].value, "small");
  EXPECT_EQ(stat(pipeline, "dropped-too-large"), 1U);
}

TEST_F(KafkaSinkDelivery, AFrameAboveThePropertyIsAnErrorInLossless) {
  Pipeline pipeline = make("topic=videocam delivery=lossless max-message-bytes=3000");
  pipeline.set_state(GST_STATE_PLAYING);
  GstFlowReturn flow = GST_FLOW_OK;
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 5000, nullptr);
  g_signal_emit_by_name(pipeline.element("src"), "push-buffer", buffer, &flow);
  gst_buffer_unref(buffer);
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)), HasSubstr("property max-message-bytes"));
}

TEST_F(KafkaSinkDelivery, AFrameThatTheBrokerRefusesIsAnErrorInLossless) {
  Pipeline pipeline = make("topic=videocam delivery=lossless");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "before");
  kafka_.read(1);
  rd_kafka_mock_push_request_errors(kafka_.cluster(), kProduce, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  push(pipeline, "too large");
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)), HasSubstr("max.message.bytes of the topic"));
}

TEST_F(KafkaSinkDelivery, AProducerThatFailsForGoodIsReplacedAndSendsAgain) {
  Pipeline pipeline = make("topic=videocam delivery=lossless drain-timeout=0");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "frame 0");
  kafka_.read(1);
  rd_kafka_mock_push_request_errors(kafka_.cluster(), kProduce, 1, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
  push(pipeline, "frame 1");  // alone, for the mock broker would take the next one out of order
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_WARNING)), HasSubstr("are sent again"));
  for (int i = 2; i < 20; ++i) push(pipeline, "frame " + std::to_string(i));
  end(pipeline);
  const auto messages = kafka_.read(20);
  const std::string run = *messages[0].header("ce_stream");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(messages[i].value, "frame " + std::to_string(i));
    EXPECT_EQ(messages[i].header("ce_id"), run + "-" + std::to_string(i));
  }
  EXPECT_GT(stat(pipeline, "messages-resent"), 0U);
  EXPECT_EQ(stat(pipeline, "messages-delivered"), 20U);
  EXPECT_EQ(stat(pipeline, "messages-failed"), 0U);
}

TEST_F(KafkaSinkDelivery, LiveSendsNothingTwice) {
  Pipeline pipeline = make();
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "before");
  kafka_.read(1);
  rd_kafka_mock_push_request_errors(kafka_.cluster(), kProduce, 1, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
  push(pipeline, "lost");
  while (stat(pipeline, "messages-failed") == 0) std::this_thread::yield();
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_WARNING)), HasSubstr("check the brokers"));
  push(pipeline, "after");
  EXPECT_EQ(kafka_.read(2)[1].value, "after");
}

TEST_F(KafkaSinkDelivery, StatsTellWhatHappens) {
  Pipeline pipeline = make("topic=videocam drain-timeout=0");
  pipeline.set_state(GST_STATE_PLAYING);
  for (int i = 0; i < 3; ++i) push(pipeline, std::string(100, 'x'));
  end(pipeline);
  EXPECT_EQ(stat(pipeline, "messages-in"), 3U);
  EXPECT_EQ(stat(pipeline, "bytes-in"), 300U);
  EXPECT_EQ(stat(pipeline, "messages-delivered"), 3U);
  EXPECT_EQ(stat(pipeline, "bytes-delivered"), 300U);
  EXPECT_EQ(stat(pipeline, "queue-frames"), 0U);
  EXPECT_EQ(stat(pipeline, "max-queue-frames"), 32U);
  EXPECT_GT(stat(pipeline, "latency-p50"), 0U);
  EXPECT_GE(stat(pipeline, "latency-max"), stat(pipeline, "latency-p50"));
  EXPECT_EQ(stat(pipeline, "rendered"), 3U);
  while (stat(pipeline, "round-trip") == 0) std::this_thread::yield();  // librdkafka tells once a second
}

}  // namespace
}  // namespace gkv
