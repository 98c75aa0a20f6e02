#include <dlfcn.h>
#include <netdb.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <thread>

#include "kafkasink_fixture.h"

namespace {

std::atomic<bool> resolver_called{false};
std::atomic<bool> resolver_may_answer{false};

}  // namespace

/// librdkafka finds this resolver before libc's: it is slow for one name.
extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* name, const char* service,
                                                                  const addrinfo* hints, addrinfo** result) {
  if (name && std::strcmp(name, "slow.example") == 0) {
    resolver_called = true;
    while (!resolver_may_answer) std::this_thread::yield();
    return EAI_AGAIN;
  }
  using Resolver = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto libc = reinterpret_cast<Resolver>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return libc(name, service, hints, result);
}

namespace gkv {
namespace {

using test::Pipeline;

/// What a start leaves behind when it has been stopped.
class KafkaSinkLifetime : public test::KafkaSinkTest {
 protected:
  static std::ptrdiff_t threads() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
  }
  static guint references(Pipeline& pipeline) { return GST_OBJECT_REFCOUNT_VALUE(pipeline.element("sink")); }

  /// Clients that were stopped end on threads of their own; each holds the element until then.
  static void wait_until_nothing_is_left(Pipeline& pipeline, guint references_before) {
    while (references(pipeline) > references_before) std::this_thread::yield();
  }
};

TEST_F(KafkaSinkLifetime, AStopDoesNotWaitForAName) {
  Pipeline pipeline = make("topic=videocam connect-timeout=100", "slow.example:9092");
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.wait_for(GST_MESSAGE_ERROR);
  EXPECT_TRUE(resolver_called);
  auto stopped = std::async(std::launch::async, [&] { pipeline.set_state(GST_STATE_NULL); });
  EXPECT_EQ(stopped.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  resolver_may_answer = true;
}

TEST_F(KafkaSinkLifetime, AnOldStartTellsNothingAfterItsStop) {
  resolver_called = resolver_may_answer = false;
  Pipeline pipeline = make("topic=videocam connect-timeout=1", "slow.example:9092");
  GstElement* sink = pipeline.element("sink");
  gst_element_set_locked_state(sink, TRUE);
  pipeline.set_state(GST_STATE_READY);  // in NULL the bus tells nothing
  pipeline.messages(GST_MESSAGE_ANY);
  const guint before = references(pipeline);
  gst_element_set_state(sink, GST_STATE_READY);
  while (!resolver_called) std::this_thread::yield();  // now it looks for the topic
  gst_element_set_state(sink, GST_STATE_NULL);
  resolver_may_answer = true;
  while (references(pipeline) > before) {  // messages hold the element, too
    for (const auto& message : pipeline.messages(GST_MESSAGE_ANY)) EXPECT_EQ(test::text_of(message), "");
    std::this_thread::yield();
  }
}

TEST_F(KafkaSinkLifetime, StartsAndStopsLeaveNothingBehind) {
  Pipeline pipeline = make();
  const guint before = references(pipeline);
  const auto threads_before = threads();
  for (int i = 0; i < 200; ++i) {
    if (i == 100) kafka_.set_down();
    pipeline.set_state(GST_STATE_PLAYING);
    if (i % 10 == 0) push(pipeline, "frame");
    EXPECT_EQ(pipeline.set_state(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  }
  wait_until_nothing_is_left(pipeline, before);
  while (threads() > threads_before + 2) std::this_thread::yield();  // GStreamer's pool keeps some
}

}  // namespace
}  // namespace gkv
