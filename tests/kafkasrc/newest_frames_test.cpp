#include "newest_frames.h"

#include <gtest/gtest.h>

namespace gkv {
namespace {

TEST(NewestFrames, GivesTheNewestOfEachSource) {
  NewestFrames<int> frames(10);
  EXPECT_FALSE(frames.put("a", 1));
  EXPECT_FALSE(frames.put("b", 2));
  EXPECT_TRUE(frames.put("a", 3));
  EXPECT_EQ(frames.take(), 3);
  EXPECT_EQ(frames.take(), 2);
  EXPECT_EQ(frames.take(), std::nullopt);
}

TEST(NewestFrames, ABusySourceDoesNotKeepAnotherWaiting) {
  NewestFrames<int> frames(10);
  frames.put("busy", 1);
  frames.put("quiet", 2);
  EXPECT_EQ(frames.take(), 1);
  for (int i = 3; i < 100; ++i) frames.put("busy", i);
  EXPECT_EQ(frames.take(), 2);
  EXPECT_EQ(frames.take(), 99);
}

TEST(NewestFrames, IsBounded) {
  NewestFrames<int> frames(2);
  frames.put("a", 1);
  frames.put("b", 2);
  EXPECT_TRUE(frames.put("c", 3));
  EXPECT_EQ(frames.take(), 2);
  EXPECT_EQ(frames.take(), 3);
  EXPECT_TRUE(frames.empty());
}

}  // namespace
}  // namespace gkv
