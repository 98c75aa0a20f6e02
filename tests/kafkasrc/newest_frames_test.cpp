#include "newest_frames.h"

#include <gtest/gtest.h>

namespace gkv {
namespace {

constexpr bool kDelta = true;
constexpr bool kKey = false;

TEST(NewestFrames, GivesTheNewestOfEachSource) {
  NewestFrames<int> frames({});
  EXPECT_EQ(frames.put("a", 1, kKey), 0U);
  EXPECT_EQ(frames.put("b", 2, kKey), 0U);
  EXPECT_EQ(frames.put("a", 3, kKey), 1U);
  EXPECT_EQ(frames.take(), 3);
  EXPECT_EQ(frames.take(), 2);
  EXPECT_EQ(frames.take(), std::nullopt);
}

TEST(NewestFrames, ABusySourceDoesNotKeepAnotherWaiting) {
  NewestFrames<int> frames({});
  frames.put("busy", 1, kKey);
  frames.put("quiet", 2, kKey);
  EXPECT_EQ(frames.take(), 1);
  for (int i = 3; i < 100; ++i) frames.put("busy", i, kKey);
  EXPECT_EQ(frames.take(), 2);
  EXPECT_EQ(frames.take(), 99);
}

TEST(NewestFrames, IsBoundedInSources) {
  NewestFrames<int> frames({.sources = 2});
  frames.put("a", 1, kKey);
  frames.put("b", 2, kKey);
  EXPECT_EQ(frames.put("c", 3, kKey), 1U);
  EXPECT_EQ(frames.take(), 2);
  EXPECT_EQ(frames.take(), 3);
  EXPECT_TRUE(frames.empty());
}

TEST(NewestFrames, FramesThatBuildOnEachOtherStayInOrder) {
  NewestFrames<int> frames({});
  frames.put("a", 1, kKey);
  frames.put("a", 2, kDelta);
  frames.put("b", 10, kKey);
  frames.put("a", 3, kDelta);
  EXPECT_EQ(frames.take(), 1);
  EXPECT_EQ(frames.take(), 10);
  EXPECT_EQ(frames.take(), 2);
  EXPECT_EQ(frames.take(), 3);
  frames.put("a", 4, kDelta);
  EXPECT_EQ(frames.take(), 4);
}

TEST(NewestFrames, AKeyFrameReplacesWhatWaits) {
  NewestFrames<int> frames({});
  frames.put("a", 1, kKey);
  frames.put("a", 2, kDelta);
  EXPECT_EQ(frames.put("a", 3, kKey), 2U);
  frames.put("a", 4, kDelta);
  EXPECT_EQ(frames.take(), 3);
  EXPECT_EQ(frames.take(), 4);
  EXPECT_TRUE(frames.empty());
}

TEST(NewestFrames, BeginsWithAKeyFrame) {
  NewestFrames<int> frames({});
  EXPECT_EQ(frames.put("a", 1, kDelta), 1U);
  EXPECT_TRUE(frames.empty());
  frames.put("a", 2, kKey);
  EXPECT_EQ(frames.take(), 2);
  frames.break_chains();
  EXPECT_EQ(frames.put("a", 3, kDelta), 1U);
  EXPECT_EQ(frames.put("a", 4, kKey), 0U);
  EXPECT_EQ(frames.take(), 4);
}

TEST(NewestFrames, AChainIsBounded) {
  NewestFrames<int> frames({.chain = 3});
  frames.put("a", 1, kKey);
  frames.put("a", 2, kDelta);
  frames.put("a", 3, kDelta);
  EXPECT_EQ(frames.put("a", 4, kDelta), 4U);
  EXPECT_EQ(frames.put("a", 5, kDelta), 1U);
  frames.put("a", 6, kKey);
  EXPECT_EQ(frames.take(), 6);
  EXPECT_EQ(frames.take(), std::nullopt);
}

}  // namespace
}  // namespace gkv
