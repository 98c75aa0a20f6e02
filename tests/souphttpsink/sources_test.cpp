#include "souphttpsink/sources.h"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using gkv::Sources;

gkv::FramePtr frame(const char* text) { return gkv::make_frame(gkv::make_bytes(text), std::nullopt); }

TEST(Sources, KeepTheNewestFrameOfEach) {
  Sources sources;
  EXPECT_EQ(sources.newest("a"), nullptr);
  EXPECT_EQ(sources.first(), std::nullopt);
  sources.publish("b", frame("b1"));
  sources.publish("a", frame("a1"));
  sources.publish("b", frame("b2"));
  EXPECT_EQ(gkv::view(sources.newest("a")->jpeg), "a1");
  EXPECT_EQ(gkv::view(sources.newest("b")->jpeg), "b2");
  EXPECT_EQ(sources.first(), "b");
}

TEST(Sources, FreeAFrameThatHasBeenReplaced) {
  Sources sources;
  sources.publish("a", frame("a1"));
  const std::weak_ptr<const gkv::Frame> old = sources.newest("a");
  sources.publish("a", frame("a2"));
  EXPECT_TRUE(old.expired());
}

TEST(Sources, TellWhichChangedOnce) {
  Sources sources;
  sources.publish("a", frame("a1"));
  sources.publish("a", frame("a2"));
  sources.publish("b", frame("b1"));
  EXPECT_EQ(sources.take_changed(), (std::set<std::string>{"a", "b"}));
  EXPECT_TRUE(sources.take_changed().empty());
}

TEST(Sources, ForgetTheMostSilentAboveTheLimit) {
  Sources sources(3);
  const auto start = Sources::Clock::now();
  sources.publish("a", frame("a1"), start);
  sources.publish("b", frame("b1"), start + 1s);
  sources.publish("c", frame("c1"), start + 2s);
  sources.publish("a", frame("a2"), start + 3s);
  sources.publish("d", frame("d1"), start + 4s);
  EXPECT_EQ(sources.newest("b"), nullptr);
  EXPECT_NE(sources.newest("a"), nullptr);
  EXPECT_EQ(sources.take_changed(), (std::set<std::string>{"a", "c", "d"}));
}

TEST(Sources, CountFramesAndTellTheAgeOfTheNewest) {
  Sources sources;
  const auto start = Sources::Clock::now();
  sources.publish("a", frame("a1"), start);
  sources.publish("a", frame("a2"), start + 1s);
  const auto status = sources.status(start + 1250ms);
  ASSERT_EQ(status.size(), 1U);
  EXPECT_EQ(status[0].id, "a");
  EXPECT_EQ(status[0].frames, 2U);
  EXPECT_EQ(status[0].age, 250ms);
}

}  // namespace
