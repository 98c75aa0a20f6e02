#include <array>
#include <thread>

#include "kafkasink_fixture.h"

namespace gkv {
namespace {

using test::kEvents;
using test::Pipeline;
using test::text_of;
using testing::HasSubstr;

constexpr int kProduce = 0;
constexpr int kInitProducerId = 22;

/// How the sink comes back after its producer, or a broker of several, has failed.
class KafkaSinkRecovery : public test::KafkaSinkTest {
 protected:
  static guint64 stat(Pipeline& pipeline, const char* name) { return test::stat(pipeline.element("sink"), name); }

  /// How often librdkafka's error of this name came.
  static guint64 errors(Pipeline& pipeline, const char* name) {
    GstStructure* stats = nullptr;
    g_object_get(pipeline.element("sink"), "stats", &stats, nullptr);
    guint64 count = 0;
    gst_structure_get_uint64(gst_value_get_structure(gst_structure_get_value(stats, "errors")), name, &count);
    gst_structure_free(stats);
    return count;
  }
  /// The first warning takes the broker down, on the thread that replaces the producer.
  void take_down_with_first_warning(Pipeline& pipeline) {
    GstBus* bus = gst_element_get_bus(pipeline.get());
    gst_bus_set_sync_handler(
        bus,
        [](GstBus*, GstMessage* message, gpointer self) {
          auto* test = static_cast<KafkaSinkRecovery*>(self);
          if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING && !test->taken_down_) {
            test->taken_down_ = true;
            test->kafka_.set_down();
          }
          return GST_BUS_PASS;
        },
        this, nullptr);
    gst_object_unref(bus);
  }

  std::atomic<bool> taken_down_{false};
};

TEST_F(KafkaSinkRecovery, AReplacedProducerWaitsForTheBrokerWithoutLimit) {
  Pipeline pipeline = make("topic=videocam delivery=lossless connect-timeout=300");
  take_down_with_first_warning(pipeline);
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "frame 0");
  kafka_.read(1);
  rd_kafka_mock_push_request_errors(kafka_.cluster(), kProduce, 1, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
  push(pipeline, "frame 1");
  EXPECT_THAT(text_of(pipeline.wait_for(kEvents)), HasSubstr("are sent again"));
  EXPECT_THAT(text_of(pipeline.wait_for(kEvents)), HasSubstr("No Kafka broker answers"));
  EXPECT_EQ(errors(pipeline, "OUT_OF_ORDER_SEQUENCE_NUMBER"), 1U);  // of the producer before
  const gint64 later = g_get_monotonic_time() + 600'000;
  while (g_get_monotonic_time() < later) std::this_thread::yield();
  kafka_.set_up();
  EXPECT_THAT(text_of(pipeline.wait_for(kEvents)), HasSubstr("answers again"));
  end(pipeline);
  EXPECT_EQ(kafka_.read(2)[1].value, "frame 1");
}

TEST_F(KafkaSinkRecovery, AProducerThatFailsAgainAndAgainIsToldOnce) {
  Pipeline pipeline = make("topic=videocam delivery=lossless");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "frame 0");
  kafka_.read(1);
  const auto error = RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
  rd_kafka_mock_push_request_errors(kafka_.cluster(), kProduce, 3, error, error, error);
  push(pipeline, "frame 1");
  EXPECT_THAT(text_of(pipeline.wait_for(kEvents)), HasSubstr("are sent again"));
  end_without_event(pipeline);
  EXPECT_EQ(kafka_.read(2)[1].value, "frame 1");
  EXPECT_EQ(errors(pipeline, "OUT_OF_ORDER_SEQUENCE_NUMBER"), 3U);
}

TEST_F(KafkaSinkRecovery, ABrokerThatKnowsNoIdempotenceIsAnError) {
  rd_kafka_mock_set_apiversion(kafka_.cluster(), kInitProducerId, -1, -1);
  Pipeline pipeline = make("topic=videocam delivery=lossless");
  pipeline.set_state(GST_STATE_PLAYING);
  EXPECT_THAT(text_of(pipeline.wait_for(kEvents)), HasSubstr("too old"));
}

TEST_F(KafkaSinkRecovery, ALeaderThatIsOutOfReachIsOneWarningAndItsEndOneMessage) {
  const kafka::Handle owner(rd_kafka_new(RD_KAFKA_PRODUCER, nullptr, nullptr, 0));
  const std::unique_ptr<rd_kafka_mock_cluster_t, kafka::Destroy<rd_kafka_mock_cluster_destroy>> cluster(
      rd_kafka_mock_cluster_new(owner.get(), 2));
  rd_kafka_mock_topic_create(cluster.get(), test::kTopic, 2, 2);
  rd_kafka_mock_partition_set_leader(cluster.get(), test::kTopic, 0, 1);
  rd_kafka_mock_partition_set_leader(cluster.get(), test::kTopic, 1, 2);
  rd_kafka_mock_broker_set_down(cluster.get(), 2);
  Pipeline pipeline =
      make("topic=videocam delivery=lossless partition=1", rd_kafka_mock_cluster_bootstraps(cluster.get()));
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "frame");
  const auto warning = text_of(pipeline.wait_for(kEvents));
  EXPECT_THAT(warning, HasSubstr("advertised.listeners"));
  EXPECT_THAT(warning, HasSubstr("/2: Connect to"));  // the broker's name
  rd_kafka_mock_broker_set_up(cluster.get(), 2);
  EXPECT_THAT(text_of(pipeline.wait_for(kEvents)), HasSubstr("answers again"));
  end_without_event(pipeline);
  EXPECT_EQ(stat(pipeline, "messages-delivered"), 1U);
}

TEST_F(KafkaSinkRecovery, LibrdkafkasOwnBoundMakesFramesWait) {
  Pipeline pipeline = make("topic=videocam delivery=lossless config=\"c,queue.buffering.max.kbytes=2\"");
  pipeline.set_state(GST_STATE_PLAYING);
  for (int i = 0; i < 20; ++i) push(pipeline, std::string(1200, 'x'));
  end_without_event(pipeline);
  EXPECT_EQ(stat(pipeline, "messages-delivered"), 20U);
}

TEST_F(KafkaSinkRecovery, AFrameAboveLibrdkafkasOwnBoundNamesIt) {
  Pipeline pipeline = make("topic=videocam config=\"c,queue.buffering.max.kbytes=1\"");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, std::string(5000, 'x'));
  EXPECT_THAT(text_of(pipeline.wait_for(kEvents)), HasSubstr("queue.buffering.max.kbytes"));
}

TEST_F(KafkaSinkRecovery, WhatIsUnderWayIsBoundedInBytes) {
  Pipeline pipeline = make("topic=videocam max-queue-bytes=25000 max-queue-frames=100");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "before");
  kafka_.read(1);
  while (stat(pipeline, "messages-delivered") < 1) std::this_thread::yield();
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), 1, 1000);
  for (int i = 0; i < 60; ++i) {
    push(pipeline, std::string(10000, 'x'));
    EXPECT_LE(stat(pipeline, "queue-bytes"), 25000U);
  }
  EXPECT_GT(stat(pipeline, "dropped-queue-full"), 50U);
}

TEST_F(KafkaSinkRecovery, TheNewestFrameIsDroppedWhereAllTheOthersAreUnderWay) {
  Pipeline pipeline = make("topic=videocam max-queue-bytes=1500");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "before");
  kafka_.read(1);
  while (stat(pipeline, "messages-delivered") < 1) std::this_thread::yield();
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), 1, 300);
  push(pipeline, std::string(1000, 'a'));
  push(pipeline, std::string(1000, 'b'));
  EXPECT_EQ(stat(pipeline, "dropped-queue-full"), 1U);
  EXPECT_EQ(stat(pipeline, "queue-bytes"), 1000U);
  while (stat(pipeline, "messages-delivered") < 2) std::this_thread::yield();
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), 1, 0);
  push(pipeline, "after");
  const auto messages = kafka_.read(3);
  EXPECT_EQ(messages[1].value, std::string(1000, 'a'));
  EXPECT_EQ(messages[2].value, "after");
}

TEST_F(KafkaSinkRecovery, AnErrorSaysHowManyFramesWereNotDelivered) {
  Pipeline pipeline = make("topic=videocam delivery=lossless");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "before");
  kafka_.read(1);
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), 1, 200);
  rd_kafka_mock_push_request_errors(kafka_.cluster(), kProduce, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  for (int i = 0; i < 10; ++i) push(pipeline, "frame");
  EXPECT_THAT(text_of(pipeline.wait_for(kEvents)), HasSubstr(" 10 frames were not delivered."));
}

TEST_F(KafkaSinkRecovery, ATimestampThatTheBrokerRefusesIsTold) {
  Pipeline pipeline = make();
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "before");
  kafka_.read(1);
  rd_kafka_mock_push_request_errors(kafka_.cluster(), kProduce, 1, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
  push(pipeline, "frame");
  EXPECT_THAT(text_of(pipeline.wait_for(kEvents)), HasSubstr("timestamp=now"));
}

TEST_F(KafkaSinkRecovery, ABrokerSlowerThanMaxAgeIsNoOutage) {
  Pipeline pipeline = make("topic=videocam max-age=100 drain-timeout=0");
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "before");
  kafka_.read(1);
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), 1, 400);
  while (stat(pipeline, "messages-delivered") + stat(pipeline, "messages-failed") < 60) push(pipeline, "slow");
  end_without_event(pipeline);
  EXPECT_EQ(stat(pipeline, "messages-failed"), 0U);
}

}  // namespace
}  // namespace gkv
