#pragma once

#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <future>
#include <string>

#include "mock_kafka.h"
#include "pipeline.h"

namespace gkv::test {

inline constexpr const char* kCaps = "image/jpeg,width=640,height=480";
inline constexpr const char* kTopic = "videocam";
/// What a user is told.
inline constexpr auto kEvents = static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_INFO);

/// A buffer whose memory tells when it has been let go.
struct Payload {
  explicit Payload(const std::string& text) : bytes(text) {}

  GstBuffer* buffer() {
    return gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, bytes.data(), bytes.size(), 0, bytes.size(), this,
                                       [](gpointer self) { static_cast<Payload*>(self)->gone.set_value(); });
  }
  bool is_held() { return gone_at.wait_for(std::chrono::seconds(0)) == std::future_status::timeout; }

  std::string bytes;
  std::promise<void> gone;
  std::future<void> gone_at = gone.get_future();
};

/// A sink fed by appsrc, with the mock broker as its peer.
class KafkaSinkTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  Pipeline make(const std::string& properties, const std::string& bootstrap_servers) {
    return Pipeline("appsrc name=src format=time is-live=true caps=\"" + std::string(kCaps) +
                    "\" ! kafkasink name=sink bootstrap-servers=" + bootstrap_servers + " " + properties);
  }
  Pipeline make(const std::string& properties = "topic=videocam") {
    return make(properties, kafka_.bootstrap_servers());
  }

  /// Pushes, and waits until the sink has rendered it.
  static void push(Pipeline& pipeline, GstBuffer* buffer) {
    GstElement* src = pipeline.element("src");
    const guint64 rendered = stat(pipeline.element("sink"), "rendered");
    GstFlowReturn flow = GST_FLOW_OK;
    g_signal_emit_by_name(src, "push-buffer", buffer, &flow);
    gst_buffer_unref(buffer);
    ASSERT_EQ(flow, GST_FLOW_OK);
    while (stat(pipeline.element("sink"), "rendered") == rendered) g_thread_yield();
  }
  static void push(Pipeline& pipeline, const std::string& text) {
    push(pipeline, gst_buffer_new_memdup(text.data(), text.size()));
  }
  static void end(Pipeline& pipeline) {
    gst_element_send_event(pipeline.get(), gst_event_new_eos());
    pipeline.wait_for(GST_MESSAGE_EOS);
  }

  /// Ends the stream, and fails where the user is told something before it has ended.
  static void end_without_event(Pipeline& pipeline) {
    gst_element_send_event(pipeline.get(), gst_event_new_eos());
    const auto message = pipeline.wait_for(static_cast<GstMessageType>(kEvents | GST_MESSAGE_EOS));
    EXPECT_EQ(GST_MESSAGE_TYPE(message.get()), GST_MESSAGE_EOS) << text_of(message);
  }

  MockKafka kafka_{kTopic};
};

}  // namespace gkv::test
