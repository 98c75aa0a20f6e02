#include <gst/base/gstbasesink.h>

#include <thread>

#include "kafkasink_fixture.h"

namespace gkv {
namespace {

using test::Pipeline;
using test::text_of;
using testing::HasSubstr;

/// What happens to a sink that waits for its last frames to arrive.
class KafkaSinkEnd : public test::KafkaSinkTest {
 protected:
  /// Brings a sink to the end of its stream, with a frame that cannot arrive.
  void drain(Pipeline& pipeline) {
    pipeline.set_state(GST_STATE_PLAYING);
    push(pipeline, "before");
    kafka_.read(1);
    kafka_.set_down();
    push(pipeline, "during");
    send_end(pipeline);
    // GStreamer holds a lock as long as the sink handles the event.
    auto* sink = GST_BASE_SINK(pipeline.element("sink"));
    while (GST_BASE_SINK_PREROLL_TRYLOCK(sink)) {
      GST_BASE_SINK_PREROLL_UNLOCK(sink);
      std::this_thread::yield();
    }
  }
  /// Returns when the event has come to the sink's pad.
  static void send_end(Pipeline& pipeline) {
    std::promise<void> came;
    gst_pad_add_probe(
        GST_BASE_SINK_PAD(pipeline.element("sink")), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        [](GstPad*, GstPadProbeInfo* info, gpointer came) {
          if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_EOS) return GST_PAD_PROBE_OK;
          static_cast<std::promise<void>*>(came)->set_value();
          return GST_PAD_PROBE_REMOVE;
        },
        &came, nullptr);
    gst_element_send_event(pipeline.get(), gst_event_new_eos());
    came.get_future().wait();
  }
  /// A hang ends the test program, for its threads cannot be ended.
  template <typename Call>
  static void expect_to_return(Call call) {
    std::promise<void> returned;
    auto done = returned.get_future();
    std::thread thread([&] {
      call();
      returned.set_value();
    });
    if (done.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
      ADD_FAILURE() << "hangs";
      std::abort();
    }
    thread.join();
  }
};

TEST_F(KafkaSinkEnd, AStopEndsTheWaitForTheLastFrames) {
  Pipeline pipeline = make("topic=videocam delivery=lossless drain-timeout=0");
  drain(pipeline);
  expect_to_return([&] { EXPECT_EQ(pipeline.set_state(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS); });
  EXPECT_TRUE(pipeline.messages(static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)).empty());
}

TEST_F(KafkaSinkEnd, AFlushEndsTheWaitForTheLastFrames) {
  Pipeline pipeline = make("topic=videocam delivery=lossless drain-timeout=0");
  drain(pipeline);
  GstPad* pad = GST_BASE_SINK_PAD(pipeline.element("sink"));
  expect_to_return([&] {
    gst_pad_send_event(pad, gst_event_new_flush_start());
    gst_pad_send_event(pad, gst_event_new_flush_stop(TRUE));
  });
  EXPECT_TRUE(pipeline.messages(static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)).empty());
}

TEST_F(KafkaSinkEnd, APauseInterruptsTheWaitForTheLastFrames) {
  Pipeline pipeline = make("topic=videocam delivery=lossless drain-timeout=0");
  drain(pipeline);
  expect_to_return([&] {
    pipeline.set_state(GST_STATE_PAUSED);
    pipeline.set_state(GST_STATE_PLAYING);
  });
  kafka_.set_up();
  pipeline.wait_for(GST_MESSAGE_EOS);
  EXPECT_EQ(kafka_.read(2)[1].value, "during");
}

TEST_F(KafkaSinkEnd, AStreamThatEndsInAPauseGoesOnToPlay) {
  kafka_.set_down();
  Pipeline pipeline = make("topic=videocam delivery=lossless drain-timeout=0");
  g_object_set(pipeline.element("src"), "is-live", FALSE, nullptr);  // goes on in PAUSED
  pipeline.set_state(GST_STATE_PLAYING);
  push(pipeline, "frame");
  pipeline.set_state(GST_STATE_PAUSED);
  send_end(pipeline);
  expect_to_return([&] { pipeline.set_state(GST_STATE_PLAYING); });
  kafka_.set_up();
  pipeline.wait_for(GST_MESSAGE_EOS);
  EXPECT_EQ(kafka_.read(1)[0].value, "frame");
}

TEST_F(KafkaSinkEnd, LosslessWaitsForTheLastFramesWithoutLimit) {
  Pipeline pipeline = make("topic=videocam delivery=lossless");
  guint timeout = 1;
  g_object_get(pipeline.element("sink"), "drain-timeout", &timeout, nullptr);
  EXPECT_EQ(timeout, 0U);
  g_object_set(pipeline.element("sink"), "drain-timeout", 7, nullptr);
  g_object_get(pipeline.element("sink"), "drain-timeout", &timeout, nullptr);
  EXPECT_EQ(timeout, 7U);
  Pipeline live = make();
  g_object_get(live.element("sink"), "drain-timeout", &timeout, nullptr);
  EXPECT_EQ(timeout, 1000U);
}

TEST_F(KafkaSinkEnd, FramesLeftInLosslessAreAnError) {
  Pipeline pipeline = make("topic=videocam delivery=lossless drain-timeout=100");
  drain(pipeline);
  EXPECT_THAT(text_of(pipeline.wait_for(GST_MESSAGE_ERROR)), HasSubstr("1 frames were not delivered"));
}

}  // namespace
}  // namespace gkv
