#include <gst/base/gstbasesink.h>
#include <gst/check/gstharness.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/frame/gstframemeta.h"
#include "http_client.h"

namespace {

using gkv::test::fetch;
using gkv::test::open_stream;
using gkv::test::picture;
using gkv::test::picture_number;
using gkv::test::state_comes_to_contain;

struct HarnessFree {
  void operator()(GstHarness* harness) const { gst_harness_teardown(harness); }
};
struct ObjectUnref {
  void operator()(gpointer object) const { gst_object_unref(object); }
};
struct MessageUnref {
  void operator()(GstMessage* message) const { gst_message_unref(message); }
};
using HarnessPtr = std::unique_ptr<GstHarness, HarnessFree>;
template <typename Object>
using ObjectPtr = std::unique_ptr<Object, ObjectUnref>;
using MessagePtr = std::unique_ptr<GstMessage, MessageUnref>;

constexpr GstClockTime kHang = 20 * GST_SECOND;

int port_of(GstElement* element) {
  int port = 0;
  g_object_get(element, "port", &port, nullptr);
  return port;
}

GstBuffer* buffer_of(const std::string& bytes, const std::string& source = {},
                     std::optional<std::uint64_t> capture_time = {}) {
  auto* buffer = bytes.empty() ? gst_buffer_new() : gst_buffer_new_memdup(bytes.data(), bytes.size());
  if (!source.empty()) gkv::set_frame_info(buffer, {.source = source, .capture_time_ns = capture_time});
  return buffer;
}

std::pair<std::string, std::string> error_text(GstMessage* message) {
  GError* error = nullptr;
  gchar* debug = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
    gst_message_parse_warning(message, &error, &debug);
  } else {
    gst_message_parse_error(message, &error, &debug);
  }
  std::pair<std::string, std::string> text(error->message, debug != nullptr ? debug : "");
  g_error_free(error);
  g_free(debug);
  return text;
}

HarnessPtr make_harness(int port) {
  const ObjectPtr<GstElement> element(
      GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("souphttpsink", nullptr))));
  g_object_set(element.get(), "port", port, nullptr);
  HarnessPtr harness(gst_harness_new_with_element(element.get(), "sink", nullptr));
  gst_harness_set_src_caps_str(harness.get(), "image/jpeg");
  return harness;
}

class SoupHttpSinkTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    gst_init(nullptr, nullptr);
    gkv::register_frame_metas();
  }

  void SetUp() override { harness_ = make_harness(0); }

  GstElement* element() const { return harness_->element; }
  int port() const { return port_of(element()); }
  void push(const std::string& bytes, const std::string& source = {}, std::optional<std::uint64_t> capture_time = {}) {
    ASSERT_EQ(gst_harness_push(harness_.get(), buffer_of(bytes, source, capture_time)), GST_FLOW_OK);
  }
  guint64 malformed() const {
    GstStructure* stats = nullptr;
    g_object_get(element(), "stats", &stats, nullptr);
    guint64 count = 0;
    gst_structure_get_uint64(stats, "malformed", &count);
    gst_structure_free(stats);
    return count;
  }

  HarnessPtr harness_;
};

TEST_F(SoupHttpSinkTest, IsNotSlowedByTheClock) { EXPECT_FALSE(gst_base_sink_get_sync(GST_BASE_SINK(element()))); }

TEST_F(SoupHttpSinkTest, ShowsFramesByteForByte) {
  push(picture(1, 70'000));
  auto viewer = open_stream(port());
  EXPECT_EQ(viewer.read_part().body, picture(1, 70'000));
  push(picture(2));
  EXPECT_EQ(viewer.read_part().body, picture(2));
  EXPECT_EQ(fetch(port(), "/snapshot/default").body, picture(2));
}

TEST_F(SoupHttpSinkTest, DoesNotCopyAFrame) {
  auto* buffer = buffer_of(picture(1));
  gst_buffer_ref(buffer);
  ASSERT_EQ(gst_harness_push(harness_.get(), buffer), GST_FLOW_OK);
  g_object_set(element(), "enable-last-sample", FALSE, nullptr);
  EXPECT_GT(GST_MINI_OBJECT_REFCOUNT_VALUE(buffer), 1) << "what it shows is the buffer itself";
  push(picture(2));
  EXPECT_EQ(GST_MINI_OBJECT_REFCOUNT_VALUE(buffer), 1) << "and it lets go of it when there is a newer one";
  gst_buffer_unref(buffer);
}

TEST_F(SoupHttpSinkTest, HoldsNoLockWhenItFreesABuffer) {
  // What a buffer's owner does when it gets the buffer back, here: it looks at the element.
  struct Owner {
    GstElement* element;
    std::future<int> port;
    bool answered = false;
  } owner{element(), {}, false};
  const auto freed = [](gpointer data) {
    auto* self = static_cast<Owner*>(data);
    self->port = std::async(std::launch::async, port_of, self->element);
    self->answered = self->port.wait_for(std::chrono::nanoseconds(kHang)) == std::future_status::ready;
  };
  auto bytes = picture(1);
  g_object_set(element(), "enable-last-sample", FALSE, nullptr);
  auto* buffer =
      gst_buffer_new_wrapped_full(GstMemoryFlags(0), bytes.data(), bytes.size(), 0, bytes.size(), &owner, freed);
  ASSERT_EQ(gst_harness_push(harness_.get(), buffer), GST_FLOW_OK);
  push(picture(2));
  EXPECT_TRUE(owner.answered);
}

TEST_F(SoupHttpSinkTest, TellsSourcesApartByTheirMeta) {
  push(picture(1), "left", 1763901234'000000000U);
  push(picture(1001), "right");
  auto left = open_stream(port(), "/stream/left");
  auto right = open_stream(port(), "/stream/right");
  auto part = left.read_part();
  EXPECT_EQ(picture_number(part.body), 1);
  EXPECT_EQ(part.header("X-Timestamp"), "1763901234.000000");
  part = right.read_part();
  EXPECT_EQ(picture_number(part.body), 1001);
  EXPECT_EQ(part.header("X-Timestamp"), "");
  for (int number = 2; number < 20; ++number) {
    push(picture(number), "left");
    push(picture(1000 + number), "right");
    EXPECT_EQ(picture_number(left.read_part().body), number);
    EXPECT_EQ(picture_number(right.read_part().body), 1000 + number);
  }
}

TEST_F(SoupHttpSinkTest, SkipsAndReportsWhatIsNoPicture) {
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(element(), bus);
  push(picture(1));
  push("no picture");
  push("nor this");
  push("");
  push(picture(2));
  EXPECT_EQ(fetch(port(), "/snapshot").body, picture(2));
  EXPECT_EQ(malformed(), 2U);
  const MessagePtr first(gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING));
  ASSERT_TRUE(first);
  EXPECT_NE(error_text(first.get()).first.find("no JPEG picture"), std::string::npos);
  const MessagePtr second(gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING));
  EXPECT_FALSE(second) << "once a minute is enough";
  gst_element_set_bus(element(), nullptr);
  gst_object_unref(bus);
}

TEST_F(SoupHttpSinkTest, EndsStreamsCleanlyAtEos) {
  push(picture(1, 200'000));
  auto viewer = open_stream(port());
  viewer.read_part();
  auto slow = open_stream(port(), "/stream", 4096);
  ASSERT_TRUE(gst_harness_push_event(harness_.get(), gst_event_new_eos()));
  EXPECT_EQ(viewer.read_to_end(), "");
  EXPECT_TRUE(slow.read_to_end().ends_with("\xff\xd9\r\n--MJPEGBOUNDARY\r\n"));
  EXPECT_EQ(fetch(port(), "/stream").status, 503);
}

TEST_F(SoupHttpSinkTest, ForgetsTheOldStreamAfterARestart) {
  push(picture(1));
  gst_element_set_state(element(), GST_STATE_NULL);
  EXPECT_EQ(port(), 0);
  gst_element_set_state(element(), GST_STATE_PLAYING);
  EXPECT_EQ(fetch(port(), "/snapshot").status, 503);
}

TEST_F(SoupHttpSinkTest, StartsAndStopsWithViewersAttached) {
  const int fixed_port = port();
  harness_.reset();
  for (int cycle = 0; cycle < 200; ++cycle) {
    const auto harness = make_harness(fixed_port);
    ASSERT_EQ(gst_harness_push(harness.get(), buffer_of(picture(cycle, 20'000))), GST_FLOW_OK) << "cycle " << cycle;
    auto reading = open_stream(fixed_port);
    auto waiting = open_stream(fixed_port);
    EXPECT_EQ(picture_number(reading.read_part().body), cycle);
    ASSERT_EQ(gst_element_set_state(harness->element, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
    EXPECT_EQ(reading.read_to_end(), "");
    EXPECT_TRUE(waiting.read_to_end().ends_with("--MJPEGBOUNDARY\r\n"));
  }
}

TEST_F(SoupHttpSinkTest, StaysAvailableInPaused) {
  push(picture(1));
  auto viewer = open_stream(port());
  gst_element_set_state(element(), GST_STATE_PAUSED);
  EXPECT_EQ(picture_number(viewer.read_part().body), 1);
  EXPECT_EQ(picture_number(viewer.read_part().body), 1) << "the last frame is repeated";
  gst_element_set_state(element(), GST_STATE_PLAYING);
}

class SoupHttpSinkFailure : public SoupHttpSinkTest {
 protected:
  /// @return user's and debug text of the ERROR that starting gives
  std::pair<std::string, std::string> start_error(const char* property, const char* value) {
    ObjectPtr<GstElement> failing(gst_element_factory_make("souphttpsink", nullptr));
    gst_util_set_object_arg(G_OBJECT(failing.get()), "port", "0");
    gst_util_set_object_arg(G_OBJECT(failing.get()), property, value);
    const ObjectPtr<GstBus> bus(gst_bus_new());
    gst_element_set_bus(failing.get(), bus.get());
    EXPECT_EQ(gst_element_set_state(failing.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    const MessagePtr error(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
    gst_element_set_bus(failing.get(), nullptr);
    gst_element_set_state(failing.get(), GST_STATE_NULL);
    return error ? error_text(error.get()) : std::pair<std::string, std::string>("no error", "");
  }
};

TEST_F(SoupHttpSinkFailure, NamesThePortThatIsTaken) {
  const auto number = std::to_string(port());
  const auto [text, debug] = start_error("port", number.c_str());
  EXPECT_NE(text.find(number), std::string::npos) << text;
  EXPECT_NE(text.find("property port"), std::string::npos) << text;
  EXPECT_NE(debug.find("in use"), std::string::npos) << debug;
}

TEST_F(SoupHttpSinkFailure, NamesTheAddressThatIsWrong) {
  EXPECT_NE(start_error("address", "nowhere").first.find("property address"), std::string::npos);
  EXPECT_NE(start_error("address", "203.0.113.7").first.find("property address"), std::string::npos);
}

TEST_F(SoupHttpSinkFailure, NamesTheBoundaryThatIsWrong) {
  EXPECT_NE(start_error("boundary", "a b").first.find("property boundary"), std::string::npos);
}

/// Frames through GStreamer's own multipartmux.
class SoupHttpSinkMultipartTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    gst_init(nullptr, nullptr);
    gkv::register_frame_metas();
  }

  void SetUp() override {
    // multipartmux has no pad before it is asked for one; identity has.
    harness_.reset(gst_harness_new_parse("identity ! multipartmux ! souphttpsink port=0"));
    gst_harness_set_src_caps_str(harness_.get(), "image/jpeg");
    const ObjectPtr<GstElement> sink(gst_harness_find_element(harness_.get(), "souphttpsink"));
    port_ = port_of(sink.get());
  }

  void push(const std::string& bytes, const std::string& source = {}) {
    ASSERT_EQ(gst_harness_push(harness_.get(), buffer_of(bytes, source)), GST_FLOW_OK);
  }

  HarnessPtr harness_;
  int port_ = 0;
};

TEST_F(SoupHttpSinkMultipartTest, ShowsItsPicturesByteForByte) {
  auto viewer = open_stream(port_);
  for (int number = 1; number < 20; ++number) {
    push(picture(number, 100 + static_cast<std::size_t>(number) * 3000));
    EXPECT_EQ(picture_number(viewer.read_part().body), number);
  }
}

TEST_F(SoupHttpSinkMultipartTest, TellsSourcesApartByTheirMeta) {
  push(picture(1), "left");
  push(picture(1001), "right");
  push(picture(2), "left");
  EXPECT_TRUE(state_comes_to_contain(port_, R"("id":"left","frames":2)"));
  EXPECT_TRUE(state_comes_to_contain(port_, R"("id":"right","frames":1)"));
  EXPECT_EQ(fetch(port_, "/snapshot/left").body, picture(2));
  EXPECT_EQ(fetch(port_, "/snapshot/right").body, picture(1001));
}

TEST_F(SoupHttpSinkTest, TakesCapsThatChangeInMidStream) {
  push(picture(1));
  auto viewer = open_stream(port());
  EXPECT_EQ(picture_number(viewer.read_part().body), 1);
  gst_harness_set_src_caps_str(harness_.get(), "multipart/x-mixed-replace, boundary=(string)B");
  push("--B\r\nContent-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\n" + picture(2) + "\r\n--B");
  EXPECT_EQ(picture_number(viewer.read_part().body), 2);
  push("garbage\r\n--B\r\nContent-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\n" + picture(3));
  EXPECT_EQ(picture_number(viewer.read_part().body), 3);
  EXPECT_EQ(malformed(), 1U);
  gst_harness_set_src_caps_str(harness_.get(), "image/jpeg, width=(int)64");
  push(picture(4));
  EXPECT_EQ(picture_number(viewer.read_part().body), 4);
  EXPECT_EQ(malformed(), 1U) << "kept over the change";
}

TEST(SoupHttpSinkPipeline, ShowsWhatAnEncoderMakes) {
  gst_init(nullptr, nullptr);
  const ObjectPtr<GstElement> pipeline(
      gst_parse_launch("videotestsrc num-buffers=1 ! jpegenc ! multipartmux ! souphttpsink name=sink port=0", nullptr));
  ASSERT_TRUE(pipeline);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const ObjectPtr<GstBus> bus(gst_element_get_bus(pipeline.get()));
  const MessagePtr end(
      gst_bus_timed_pop_filtered(bus.get(), kHang, GstMessageType(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  ASSERT_TRUE(end);
  ASSERT_EQ(GST_MESSAGE_TYPE(end.get()), GST_MESSAGE_EOS);
  const ObjectPtr<GstElement> sink(gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink"));
  const auto snapshot = fetch(port_of(sink.get()), "/snapshot").body;
  EXPECT_TRUE(snapshot.starts_with("\xff\xd8"));
  EXPECT_TRUE(snapshot.ends_with("\xff\xd9"));
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}

}  // namespace
