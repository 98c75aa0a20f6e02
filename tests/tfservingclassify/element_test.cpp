#include <gmock/gmock.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>
#include <turbojpeg.h>

#include <array>
#include <string>
#include <vector>

#include "element_harness.h"

namespace gkv {
namespace {

using namespace test;
using testing::ElementsAre;

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

/// @return the minimum of the only pool in the answer to an ALLOCATION query; 0: there is none
guint pool_minimum(GstHarness* harness, const char* text) {
  GstCaps* caps = gst_caps_from_string(text);
  GstQuery* query = gst_query_new_allocation(caps, TRUE);
  gst_caps_unref(caps);
  guint min = 0;
  if (gst_pad_peer_query(harness->srcpad, query) && gst_query_get_n_allocation_pools(query) == 1) {
    gst_query_parse_nth_allocation_pool(query, 0, nullptr, nullptr, &min, nullptr);
  }
  gst_query_unref(query);
  return min;
}

GstPadProbeReturn answer_with_a_pool(GstPad*, GstPadProbeInfo* info, gpointer) {
  GstQuery* query = GST_PAD_PROBE_INFO_QUERY(info);
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) return GST_PAD_PROBE_OK;
  gst_query_add_allocation_pool(query, nullptr, 48, 2, 4);
  return GST_PAD_PROBE_HANDLED;
}

TEST(TfServingClassify, AsksForPoolsThatSufficeForTheFramesItKeeps) {
  const char* const raw = "video/x-raw,format=RGB,width=4,height=4,framerate=1/1";
  ModelServer server(answer);
  Element element(two_models(server));
  EXPECT_EQ(pool_minimum(element.harness(), raw), 3U);
  EXPECT_EQ(pool_minimum(element.harness(), kJpegCaps), 0U);
  gst_pad_add_probe(element.harness()->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, answer_with_a_pool, nullptr,
                    nullptr);
  EXPECT_EQ(pool_minimum(element.harness(), raw), 5U);
  EXPECT_EQ(pool_minimum(element.harness(), kJpegCaps), 5U);
}

}  // namespace
}  // namespace gkv

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  gst_init(&argc, &argv);
  gkv::register_frame_metas();
  return RUN_ALL_TESTS();
}
