#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "latest_frames.h"
#include "outage.h"
#include "results_by_source.h"

namespace gkv {
namespace {

using namespace std::chrono_literals;

constexpr Outage::Clock::time_point kStart{};

TEST(LatestFrames, KeepsTheNewestOfEachSource) {
  LatestFrames<int> frames;
  EXPECT_EQ(frames.offer("a", 1), std::nullopt);
  EXPECT_EQ(frames.offer("a", 2), 1);
  EXPECT_EQ(frames.offer("b", 3), std::nullopt);
  EXPECT_EQ(frames.take(), 2);
  EXPECT_EQ(frames.take(), 3);
  EXPECT_EQ(frames.take(), std::nullopt);
}

TEST(LatestFrames, SourcesTakeTurnsHoweverFastTheyAre) {
  LatestFrames<int> frames;
  frames.offer("slow", 1);
  for (int i = 0; i < 10; ++i) frames.offer("fast", i);
  EXPECT_EQ(frames.take(), 1);
  for (int i = 10; i < 20; ++i) frames.offer("fast", i);
  frames.offer("slow", 2);
  EXPECT_EQ(frames.take(), 19);
  frames.offer("fast", 20);
  EXPECT_EQ(frames.take(), 2);
  EXPECT_EQ(frames.take(), 20);
  EXPECT_TRUE(frames.empty());
}

TEST(LatestFrames, ForgetsASource) {
  LatestFrames<int> frames;
  frames.offer("a", 1);
  frames.offer("b", 2);
  EXPECT_EQ(frames.forget("a"), 1);
  EXPECT_EQ(frames.forget("a"), std::nullopt);
  EXPECT_EQ(frames.take(), 2);
}

class ResultsOfTwoModels : public testing::Test {
 protected:
  static Classification result(const char* model, const char* label) { return {.model = model, .label = label}; }

  ResultsBySource results_{{{.model = "m"}, {.model = "n"}}, 3};
};

TEST_F(ResultsOfTwoModels, BelongToTheirSource) {
  results_.seen("a");
  results_.seen("b");
  results_.set("a", 1, result("n", "cat"));
  EXPECT_EQ(results_.seen("a")->at(1).label, "cat");
  EXPECT_EQ(results_.seen("a")->at(0).label, std::nullopt);
  EXPECT_EQ(results_.seen("b")->at(1), Classification{.model = "n"});
}

TEST_F(ResultsOfTwoModels, AreNotChangedUnderAFrame) {
  const Results before = results_.seen("a");
  results_.set("a", 0, result("m", "cat"));
  EXPECT_EQ(before->at(0).label, std::nullopt);
}

TEST_F(ResultsOfTwoModels, LeastRecentlySeenSourceIsForgotten) {
  for (const char* source : {"a", "b", "c", "a"}) results_.seen(source);
  EXPECT_EQ(results_.evict(), std::nullopt);
  results_.seen("d");
  EXPECT_EQ(results_.evict(), "b");
  EXPECT_EQ(results_.size(), 3U);
  results_.set("b", 0, result("m", "late"));
  EXPECT_EQ(results_.seen("b")->at(0).label, std::nullopt);
}

TEST(Outage, IsReportedOnceForEachCause) {
  Outage outage;
  EXPECT_EQ(outage.answered(), 0U);
  EXPECT_EQ(outage.failed(Trouble::kUnreachable, kStart), Outage::Report::kWarning);
  EXPECT_EQ(outage.failed(Trouble::kUnreachable, kStart), Outage::Report::kNothing);
  EXPECT_EQ(outage.failed(Trouble::kRefused, kStart), Outage::Report::kNote);
  EXPECT_EQ(outage.failed(Trouble::kUnreachable, kStart + 1h), Outage::Report::kNothing);
  EXPECT_EQ(outage.answered(), 4U);
  EXPECT_EQ(outage.answered(), 0U);
  EXPECT_EQ(outage.failed(Trouble::kRefused, kStart), Outage::Report::kWarning);
}

TEST(Outage, CauseIsWarnedOfOnceAMinute) {
  Outage outage;
  EXPECT_EQ(outage.failed(Trouble::kRefused, kStart), Outage::Report::kWarning);
  EXPECT_EQ(outage.answered(), 1U);
  EXPECT_EQ(outage.failed(Trouble::kRefused, kStart + 1s), Outage::Report::kNothing);
  EXPECT_EQ(outage.answered(), 0U);
  EXPECT_EQ(outage.failed(Trouble::kTimeout, kStart + 2s), Outage::Report::kWarning);
  outage.answered();
  // An outage that lasts is told of in the end.
  EXPECT_EQ(outage.failed(Trouble::kRefused, kStart + 59s), Outage::Report::kNothing);
  EXPECT_EQ(outage.failed(Trouble::kRefused, kStart + 60s), Outage::Report::kWarning);
  EXPECT_EQ(outage.answered(), 2U);
}

TEST(Outage, BacksOffToLessThanASecond) {
  Outage outage;
  for (const auto expected : {50ms, 100ms, 200ms, 400ms, 800ms, 800ms}) {
    outage.failed(Trouble::kTimeout, {});
    EXPECT_EQ(outage.delay(), expected);
  }
  for (int i = 0; i < 100; ++i) outage.failed(Trouble::kTimeout, {});
  EXPECT_EQ(outage.delay(), 800ms);
  outage.answered();
  outage.failed(Trouble::kTimeout, {});
  EXPECT_EQ(outage.delay(), 50ms);
}

}  // namespace
}  // namespace gkv
