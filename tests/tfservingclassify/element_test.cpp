#include <gmock/gmock.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>
#include <turbojpeg.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "common/frame/gstframemeta.h"
#include "model_server.h"

namespace gkv {
namespace {

using namespace std::chrono_literals;
using test::ModelServer;
using test::Reply;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr guint kHangMs = 20000;
constexpr const char* kJpegCaps = "image/jpeg,width=4,height=4";

struct Unref {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstMessage* message) const { gst_message_unref(message); }
};
using BufferPtr = std::unique_ptr<GstBuffer, Unref>;
using MessagePtr = std::unique_ptr<GstMessage, Unref>;

/// The picture is the number of the class; what is no number (a real JPEG) is class 1.
Reply answer(const std::string&, const std::string& picture) {
  return test::prediction(std::isdigit(static_cast<unsigned char>(picture[0])) ? std::stoi(picture) : 1, 4);
}
Reply held_answer(const std::string& path, const std::string& picture) {
  Reply reply = answer(path, picture);
  reply.held = true;
  return reply;
}

GstBuffer* frame(const std::string& bytes, const std::string& source = "cam") {
  GstBuffer* buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
  set_frame_info(buffer, {.source = source, .capture_time_ns = 42});
  return buffer;
}

std::string label_of(GstBuffer* buffer, std::size_t model = 0) {
  return classifications(buffer).at(model).label.value_or("(none)");
}

/// A tfservingclassify in a harness, with its bus.
class Element {
 public:
  explicit Element(const std::string& properties)
      : harness_(gst_harness_new_parse(("tfservingclassify name=it " + properties).c_str())), bus_(gst_bus_new()) {
    element_ = gst_bin_get_by_name(GST_BIN(harness_->element), "it");
    gst_element_set_bus(harness_->element, bus_);
  }
  Element(const Element&) = delete;
  Element& operator=(const Element&) = delete;
  ~Element() {
    gst_element_set_bus(harness_->element, nullptr);
    gst_object_unref(element_);
    gst_harness_teardown(harness_);
    gst_object_unref(bus_);
  }

  void set_caps(const char* caps = kJpegCaps) { gst_harness_set_src_caps_str(harness_, caps); }
  GstFlowReturn push(GstBuffer* buffer) { return gst_harness_push(harness_, buffer); }
  BufferPtr pull() { return BufferPtr(gst_harness_pull(harness_)); }
  BufferPtr through(GstBuffer* buffer) {
    EXPECT_EQ(push(buffer), GST_FLOW_OK);
    return pull();
  }
  bool event(GstEvent* event) { return gst_harness_push_event(harness_, event); }

  /// The next message of these kinds, or null when it does not come.
  MessagePtr message(int types) {
    return MessagePtr(gst_bus_timed_pop_filtered(bus_, kHangMs * GST_MSECOND, static_cast<GstMessageType>(types)));
  }
  /// How many messages of these kinds are there, which are then gone.
  int count_messages(int types) {
    int count = 0;
    while (MessagePtr(gst_bus_pop_filtered(bus_, static_cast<GstMessageType>(types)))) ++count;
    return count;
  }
  GstElement* get() { return element_; }
  GstHarness* harness() { return harness_; }

 private:
  GstHarness* harness_;
  GstBus* bus_;
  GstElement* element_;
};

std::string text_of(GstMessage* message) {
  GError* error = nullptr;
  gchar* debug = nullptr;
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR: gst_message_parse_error(message, &error, &debug); break;
    case GST_MESSAGE_WARNING: gst_message_parse_warning(message, &error, &debug); break;
    default: gst_message_parse_info(message, &error, &debug);
  }
  const std::string text = std::string(error->message) + " | " + debug;
  g_error_free(error);
  g_free(debug);
  return text;
}

std::string in_quotes(const std::string& json) {
  std::string text = "\"";
  for (char byte : json) text += byte == '"' ? std::string("\\\"") : std::string(1, byte);
  return text + "\"";
}

std::string model_urls(const ModelServer& server) { return "model-urls=" + server.predict_url("m") + " "; }

std::string two_models(const ModelServer& server) {
  return "model-urls=" +
         in_quotes(R"({"z":")" + server.predict_url("m") + R"(","a":")" + server.predict_url("n") + R"("})") + " ";
}

TEST(TfServingClassify, SendsTheJpegAsItIs) {
  ModelServer server(answer);
  Element element(model_urls(server) + "mode=sync");
  element.set_caps();
  const std::string jpeg("1\xff\xd8\0\xff\xd9", 6);
  GstBuffer* pushed = frame(jpeg);
  GstMemory* memory = gst_buffer_peek_memory(pushed, 0);
  const BufferPtr pulled = element.through(pushed);
  gchar* base64 = g_base64_encode(reinterpret_cast<const guchar*>(jpeg.data()), jpeg.size());
  EXPECT_THAT(server.bodies(),
              ElementsAre(R"({"instances":[{"image_bytes":{"b64":")" + std::string(base64) + R"("}}]})"));
  g_free(base64);
  // The payload is the very memory that came in; the frame's other facts are there, too.
  EXPECT_EQ(gst_buffer_peek_memory(pulled.get(), 0), memory);
  EXPECT_EQ(frame_source(pulled.get()), "cam");
}

TEST(TfServingClassify, AsyncFramesCarryTheNewestResultOfTheirSource) {
  ModelServer server(answer);
  Element element(two_models(server));
  element.set_caps();
  const BufferPtr first = element.through(frame("2", "a"));
  EXPECT_EQ(classifications(first.get()), (std::vector<Classification>{{.model = "z"}, {.model = "a"}}));
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(element.message(GST_MESSAGE_ELEMENT));
  const BufferPtr same = element.through(frame("2", "a"));
  EXPECT_EQ(label_of(same.get(), 0), "2");
  EXPECT_EQ(label_of(same.get(), 1), "2");
  EXPECT_EQ(classifications(same.get())[0].captured_ns, 42U);
  const BufferPtr other = element.through(frame("3", "b"));
  EXPECT_EQ(label_of(other.get()), "(none)");
}

TEST(TfServingClassify, PostsEachResultOnTheBus) {
  ModelServer server(answer);
  Element element(model_urls(server));
  element.set_caps();
  element.through(frame("2", "a"));
  const MessagePtr message = element.message(GST_MESSAGE_ELEMENT);
  ASSERT_TRUE(message);
  const GstStructure* structure = gst_message_get_structure(message.get());
  EXPECT_TRUE(gst_structure_has_name(structure, "classification"));
  EXPECT_STREQ(gst_structure_get_string(structure, "source"), "a");
  EXPECT_STREQ(gst_structure_get_string(structure, "model"), "m");
  EXPECT_STREQ(gst_structure_get_string(structure, "label"), "2");
}

TEST(TfServingClassify, AsyncVideoDoesNotWaitForTheModel) {
  ModelServer server(held_answer);
  Element element(model_urls(server));
  element.set_caps();
  for (int i = 0; i < 100; ++i) element.through(frame("1"));
  ASSERT_TRUE(server.wait_for_requests(1));
  EXPECT_EQ(server.bodies().size(), 1U);
}

TEST(TfServingClassify, SyncFramesCarryTheirOwnResult) {
  ModelServer server(answer);
  Element element(two_models(server) + "mode=sync");
  element.set_caps();
  for (const char* number : {"1", "3", "2", "0"}) {
    const BufferPtr pulled = element.through(frame(number));
    EXPECT_EQ(label_of(pulled.get(), 0), number);
    EXPECT_EQ(label_of(pulled.get(), 1), number);
  }
}

TEST(TfServingClassify, KeepsTheResultsOfOthers) {
  ModelServer server(answer);
  Element element(model_urls(server) + "mode=sync");
  element.set_caps();
  GstBuffer* buffer = frame("2");
  set_classifications(buffer, {{.model = "theirs", .label = "x"}, {.model = "m", .label = "old"}});
  const BufferPtr pulled = element.through(buffer);
  EXPECT_EQ(label_of(pulled.get(), 0), "x");
  EXPECT_EQ(label_of(pulled.get(), 1), "2");
  EXPECT_EQ(classifications(pulled.get()).size(), 2U);
}

TEST(TfServingClassify, ServerAwayIsOneWarningAndTheVideoGoesOn) {
  ModelServer server(answer);
  server.stop();
  Element element(model_urls(server));
  element.set_caps();
  element.through(frame("1"));
  const MessagePtr warning = element.message(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(text_of(warning.get()), AllOf(HasSubstr("model-urls"), HasSubstr(server.url("")), HasSubstr("refused")));
  for (int i = 0; i < 500; ++i) EXPECT_EQ(label_of(element.through(frame("1")).get()), "(none)");

  server.start();
  const auto back = std::chrono::steady_clock::now();
  const MessagePtr notice = element.message(GST_MESSAGE_INFO);
  ASSERT_TRUE(notice);
  EXPECT_LT(std::chrono::steady_clock::now() - back, 1s);
  EXPECT_THAT(text_of(notice.get()), HasSubstr("answers again"));
  ASSERT_TRUE(element.message(GST_MESSAGE_ELEMENT));
  EXPECT_EQ(label_of(element.through(frame("1")).get()), "1");
  EXPECT_EQ(element.count_messages(GST_MESSAGE_WARNING | GST_MESSAGE_ERROR | GST_MESSAGE_INFO), 0);
}

TEST(TfServingClassify, ServerThatGoesAwayIsAnOutageEachTime) {
  ModelServer server(answer);
  Element element(model_urls(server) + "mode=sync");
  element.set_caps();
  for (int outage = 1; outage <= 2; ++outage) {
    EXPECT_EQ(label_of(element.through(frame("1")).get()), "1");
    server.stop();
    for (int i = 0; i < 20; ++i) element.through(frame("2"));
    EXPECT_EQ(element.count_messages(GST_MESSAGE_WARNING), 1) << outage;
    server.start();
    while (label_of(element.through(frame("3")).get()) != "3") {
    }
    EXPECT_EQ(element.count_messages(GST_MESSAGE_INFO), 1) << outage;
  }
}

TEST(TfServingClassify, NotFoundSaysWhatTheServerSaid) {
  ModelServer server([](const std::string&, const std::string&) {
    return Reply{.status = 404, .body = R"-({"error":"Servable not found for request: Latest(m)"})-"};
  });
  Element element(model_urls(server));
  element.set_caps();
  element.through(frame("1"));
  const MessagePtr warning = element.message(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(text_of(warning.get()),
              AllOf(HasSubstr("Servable not found for request: Latest(m)"), HasSubstr("404"), HasSubstr("model-urls")));
}

TEST(TfServingClassify, NonsenseIsAWarning) {
  ModelServer server([](const std::string&, const std::string&) {
    return Reply{.body = "{\"predictions\":" + std::string(100000, '[')};
  });
  Element element(model_urls(server));
  element.set_caps();
  element.through(frame("1"));
  const MessagePtr warning = element.message(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(text_of(warning.get()), AllOf(HasSubstr("no classification"), HasSubstr("nesting")));
}

TEST(TfServingClassify, SyncFramePassesAfterTheTimeout) {
  ModelServer server(held_answer);
  Element element(model_urls(server) + "mode=sync timeout=30");
  element.set_caps();
  EXPECT_EQ(label_of(element.through(frame("1")).get()), "(none)");
  const MessagePtr warning = element.message(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(text_of(warning.get()), AllOf(HasSubstr("within 30 ms"), HasSubstr("timeout")));
}

TEST(TfServingClassify, FlushWakesAFrameThatWaits) {
  ModelServer server(held_answer);
  Element element(model_urls(server) + "mode=sync");
  element.set_caps();
  auto pushed = std::async(std::launch::async, [&] { return element.push(frame("1")); });
  ASSERT_TRUE(server.wait_for_requests(1));
  const auto start = std::chrono::steady_clock::now();
  element.event(gst_event_new_flush_start());
  EXPECT_EQ(pushed.get(), GST_FLOW_FLUSHING);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 50ms);
  element.event(gst_event_new_flush_stop(TRUE));
  server.release();

  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  element.event(gst_event_new_segment(&segment));
  pushed = std::async(std::launch::async, [&] { return element.push(frame("2")); });
  ASSERT_TRUE(server.wait_for_requests(2));
  server.release();
  EXPECT_EQ(pushed.get(), GST_FLOW_OK);
  EXPECT_EQ(label_of(element.pull().get()), "2");
}

TEST(TfServingClassify, StateChangeWakesAFrameThatWaits) {
  ModelServer server(held_answer);
  Element element(model_urls(server) + "mode=sync");
  element.set_caps();
  auto pushed = std::async(std::launch::async, [&] { return element.push(frame("1")); });
  ASSERT_TRUE(server.wait_for_requests(1));
  const auto start = std::chrono::steady_clock::now();
  gst_element_set_state(element.get(), GST_STATE_NULL);
  EXPECT_EQ(pushed.get(), GST_FLOW_FLUSHING);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 50ms);
}

struct RawCase {
  const char* format;
  std::array<int, 3> rgb;
};

class RawFrames : public testing::TestWithParam<RawCase> {};

/// @return the RGB of the picture's middle
std::array<int, 3> decoded_middle(const std::string& body) {
  const auto start = body.find("b64\":\"") + 6;
  const std::string text = body.substr(start, body.find('"', start) - start);
  gsize size = 0;
  guchar* jpeg = g_base64_decode(text.c_str(), &size);
  tjhandle handle = tjInitDecompress();
  std::array<int, 4> header{};
  EXPECT_EQ(tjDecompressHeader3(handle, jpeg, size, &header[0], &header[1], &header[2], &header[3]), 0);
  EXPECT_EQ(header[0], 66);
  EXPECT_EQ(header[1], 50);
  std::vector<unsigned char> pixels(66 * 50 * 3);
  EXPECT_EQ(tjDecompress2(handle, jpeg, size, pixels.data(), 66, 0, 50, TJPF_RGB, 0), 0);
  tjDestroy(handle);
  g_free(jpeg);
  const std::size_t middle = (25 * 66 + 33) * 3;
  return {pixels[middle], pixels[middle + 1], pixels[middle + 2]};
}

/// Frames of GStreamer's own making.
BufferPtr red_frame(const std::string& caps) {
  GstHarness* source = gst_harness_new_parse(
      ("videotestsrc num-buffers=1 pattern=solid-color foreground-color=0xffc81e5a ! capsfilter caps=" + caps).c_str());
  gst_harness_play(source);
  BufferPtr buffer(gst_harness_pull(source));
  gst_harness_teardown(source);
  return buffer;
}

TEST_P(RawFrames, AreEncodedOnceForAllModels) {
  ModelServer server(answer);
  Element element(two_models(server) + "mode=sync jpeg-quality=95");
  const std::string caps = std::string("video/x-raw,width=66,height=50,framerate=25/1,format=") + GetParam().format;
  BufferPtr raw = red_frame(caps);
  element.set_caps(caps.c_str());
  GstMemory* memory = gst_buffer_peek_memory(raw.get(), 0);
  const BufferPtr pulled = element.through(raw.release());
  EXPECT_EQ(gst_buffer_peek_memory(pulled.get(), 0), memory);
  EXPECT_EQ(label_of(pulled.get(), 1), "1");
  const auto bodies = server.bodies();
  ASSERT_EQ(bodies.size(), 2U);
  EXPECT_EQ(bodies[0], bodies[1]);
  const auto rgb = decoded_middle(bodies[0]);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(rgb[i], GetParam().rgb[i], 5) << i;
}

constexpr std::array<int, 3> kColour = {0xc8, 0x1e, 0x5a};
INSTANTIATE_TEST_SUITE_P(, RawFrames,
                         testing::Values(RawCase{"I420", kColour}, RawCase{"NV12", kColour}, RawCase{"BGR", kColour},
                                         RawCase{"RGB", kColour}, RawCase{"BGRx", kColour}, RawCase{"RGBx", kColour},
                                         RawCase{"xRGB", kColour}, RawCase{"xBGR", kColour}, RawCase{"BGRA", kColour},
                                         RawCase{"RGBA", kColour}, RawCase{"ARGB", kColour}, RawCase{"ABGR", kColour},
                                         RawCase{"GRAY8", {88, 88, 88}}),
                         [](const auto& info) { return std::string(info.param.format); });

TEST(TfServingClassify, RefusesCapsItCannotRead) {
  ModelServer server(answer);
  Element element(model_urls(server));
  element.set_caps("video/x-raw,format=P010_10LE,width=4,height=4,framerate=1/1");
  EXPECT_EQ(element.push(frame("1")), GST_FLOW_NOT_NEGOTIATED);
}

class BadSettings : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BadSettings, AreAnErrorThatNamesTheProperty) {
  GError* error = nullptr;
  GstElement* pipeline =
      gst_parse_launch((std::string("appsrc ! tfservingclassify ") + GetParam().first + " ! fakesink").c_str(), &error);
  ASSERT_EQ(error, nullptr);
  EXPECT_EQ(gst_element_set_state(pipeline, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  GstBus* bus = gst_element_get_bus(pipeline);
  const MessagePtr message(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR));
  gst_object_unref(bus);
  ASSERT_TRUE(message);
  EXPECT_THAT(text_of(message.get()), HasSubstr(GetParam().second));
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}

INSTANTIATE_TEST_SUITE_P(
    , BadSettings,
    testing::Values(std::pair("", "model-urls"), std::pair("model-urls=localhost", "model-urls"),
                    std::pair(R"(model-urls="{\"m\":")", "model-urls"),
                    std::pair("model-urls=http://h/v1/models/m:predict label-urls=/no/such/file", "label-urls"),
                    std::pair(R"(model-urls=http://h/v1/models/m:predict label-urls="{\"x\":\"/x\"}")", "label-urls")));

TEST(TfServingClassify, ForwardsCapsQueriesAndEvents) {
  ModelServer server(answer);
  Element element(model_urls(server));
  element.set_caps();
  gst_harness_set_sink_caps_str(element.harness(), kJpegCaps);
  GstCaps* caps = gst_pad_peer_query_caps(element.harness()->srcpad, nullptr);
  GstCaps* expected = gst_caps_from_string(kJpegCaps);
  EXPECT_TRUE(gst_caps_is_equal(caps, expected));
  gst_caps_unref(expected);
  gst_caps_unref(caps);
  element.through(frame("1"));
  EXPECT_TRUE(element.event(gst_event_new_eos()));
  bool ended = false;
  while (GstEvent* event = gst_harness_try_pull_event(element.harness())) {
    ended = ended || GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    gst_event_unref(event);
  }
  EXPECT_TRUE(ended);
}

TEST(TfServingClassify, SurvivesManyStateChanges) {
  ModelServer server(answer);
  GstElement* pipeline =
      gst_parse_launch(("videotestsrc is-live=true ! video/x-raw,width=32,height=32,framerate=200/1 ! "
                        "tfservingclassify " +
                        model_urls(server) + " ! fakesink async=false")
                           .c_str(),
                       nullptr);
  for (std::size_t i = 0; i < 200; ++i) {
    ASSERT_NE(gst_element_set_state(pipeline, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    if (i % 20 == 0) {
      ASSERT_TRUE(server.wait_for_requests(i / 20 + 1));
    }
    ASSERT_EQ(gst_element_set_state(pipeline, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  }
  gst_object_unref(pipeline);
}

}  // namespace
}  // namespace gkv

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  gst_init(&argc, &argv);
  gkv::register_frame_metas();
  return RUN_ALL_TESTS();
}
