#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <utility>

#include "element_harness.h"

namespace gkv {
namespace {

using namespace test;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

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

TEST(TfServingClassify, ServerThatGoesAwayTwiceInAMinuteIsToldOnce) {
  ModelServer server(answer);
  Element element(model_urls(server) + "mode=sync");
  element.set_caps();
  for (const int told : {1, 0}) {
    EXPECT_EQ(label_of(element.through(frame("1")).get()), "1");
    server.stop();
    for (int i = 0; i < 20; ++i) element.through(frame("2"));
    EXPECT_EQ(element.count_messages(GST_MESSAGE_WARNING), told);
    server.start();
    while (label_of(element.through(frame("3")).get()) != "3") {
    }
    EXPECT_EQ(element.count_messages(GST_MESSAGE_INFO), told);
  }
}

TEST(TfServingClassify, FramesThatTheModelRefusesAreToldOnce) {
  ModelServer server([](const std::string& path, const std::string& picture) {
    return picture == "bad" ? Reply{.status = 400, .body = R"({"error":"no JPEG"})"} : answer(path, picture);
  });
  Element element(model_urls(server) + "mode=sync");
  element.set_caps();
  for (const char* number : {"1", "2", "3"}) {
    element.through(frame("bad", "broken camera"));
    while (label_of(element.through(frame(number, "other camera")).get()) != number) {
    }
  }
  // That the model is refused, and that it answers again.
  EXPECT_EQ(element.count_messages(GST_MESSAGE_WARNING | GST_MESSAGE_INFO), 2);
}

TEST(TfServingClassify, FrameThatCannotBeEncodedSaysWhatToDo) {
  ModelServer server(answer);
  Element element(model_urls(server));
  element.set_caps("video/x-raw,format=GRAY8,width=70000,height=2,framerate=1/1");
  element.through(gst_buffer_new_allocate(nullptr, 140000, nullptr));
  const MessagePtr warning = element.message(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(text_of(warning.get()), AllOf(HasSubstr("70000x2"), HasSubstr("GRAY8"), HasSubstr("videoscale")));
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

TEST(TfServingClassify, RefusesCapsItCannotRead) {
  // Negotiated while it runs, as by kafkasrc: else the elements are not even linked.
  GstElement* pipeline = gst_parse_launch(
      "appsrc name=src format=time ! tfservingclassify model-urls=http://127.0.0.1:1/v1/models/m:predict ! fakesink",
      nullptr);
  GstElement* source = gst_bin_get_by_name(GST_BIN(pipeline), "src");
  gst_util_set_object_arg(G_OBJECT(source), "caps", "video/x-raw,format=P010_10LE,width=4,height=4,framerate=1/1");
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBuffer* pushed = frame("1");
  GstFlowReturn flow = GST_FLOW_OK;
  g_signal_emit_by_name(source, "push-buffer", pushed, &flow);
  gst_buffer_unref(pushed);
  GstBus* bus = gst_element_get_bus(pipeline);
  const MessagePtr error(gst_bus_timed_pop_filtered(bus, kHangMs * GST_MSECOND, GST_MESSAGE_ERROR));
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(source);
  gst_object_unref(pipeline);
  ASSERT_TRUE(error);
  EXPECT_THAT(text_of(error.get()), AllOf(HasSubstr("videoconvert"), HasSubstr("NV12"), HasSubstr("P010_10LE")));
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
