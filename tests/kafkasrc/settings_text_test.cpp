#include "settings_text.h"

#include <gtest/gtest.h>

#include "common/failure.h"
#include "gap_report.h"
#include "sequence_gaps.h"

namespace gkv {
namespace {

using Strings = std::vector<std::string>;
using Numbers = std::vector<int>;

TEST(SettingsText, SplitsAtCommas) {
  EXPECT_EQ(split("a, b ,,c"), (Strings{"a", "b", "c"}));
  EXPECT_EQ(split(""), Strings());
  EXPECT_EQ(split(" , "), Strings());
}

TEST(SettingsText, AnExpressionMayHoldCommas) {
  EXPECT_EQ(parse_topics("^cam-[0-9]{1,3}"), (Strings{"^cam-[0-9]{1,3}"}));
  EXPECT_EQ(parse_topics("a,b"), (Strings{"a", "b"}));
}

TEST(SettingsText, PartitionsAreNumbersAndRanges) {
  EXPECT_EQ(parse_partitions("0,2-4"), (Numbers{0, 2, 3, 4}));
  EXPECT_EQ(parse_partitions(""), Numbers());
  for (const char* wrong : {"x", "-1", "3-1", "1-", "0-1000000000", "1 2"}) {
    EXPECT_THROW(parse_partitions(wrong), Failure) << wrong;
  }
}

TEST(SettingsText, ReadingStartsAtAWordOrANumber) {
  using Kind = StartOffset::Kind;
  EXPECT_EQ(parse_start_offset("earliest").kind, Kind::kEarliest);
  EXPECT_EQ(parse_start_offset("-100").number, -100);
  EXPECT_EQ(parse_start_offset("1500").kind, Kind::kNumber);
  for (const char* wrong : {"", "newest", "1.5", "12x"}) EXPECT_THROW(parse_start_offset(wrong), Failure) << wrong;
}

TEST(SettingsText, ATimeIsUnixMilliseconds) {
  EXPECT_EQ(parse_time("start-time", "2026-11-23T03:21:46.5Z"), 1'795'404'106'500);
  EXPECT_THROW(parse_time("start-time", "yesterday"), Failure);
}

TEST(SequenceGaps, CountsWhatIsMissing) {
  SequenceGaps gaps;
  EXPECT_EQ(gaps.missing_before("a", "run", 7), 0U);
  EXPECT_EQ(gaps.missing_before("a", "run", 8), 0U);
  EXPECT_EQ(gaps.missing_before("b", "run", 100), 0U);
  EXPECT_EQ(gaps.missing_before("a", "run", 11), 2U);
  EXPECT_EQ(gaps.missing_before("a", "run", 11), 0U);  // once more
  EXPECT_EQ(gaps.missing_before("a", "another run", 50), 0U);
  gaps.forget();
  EXPECT_EQ(gaps.missing_before("a", "another run", 90), 0U);
}

TEST(GapReport, TellsAtMostOnceASecond) {
  using namespace std::chrono_literals;
  GapReport report;
  const auto now = GapReport::Clock::now();
  EXPECT_EQ(report.add("a", {.lost = 1}, now)->lost, 1U);
  EXPECT_FALSE(report.add("a", {.skipped = 2}, now + 500ms));
  EXPECT_TRUE(report.add("b", {.lost = 1}, now + 500ms));
  const auto told = report.add("a", {.skipped = 3}, now + 1000ms);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->skipped, 5U);
  EXPECT_EQ(told->lost, 0U);
}

}  // namespace
}  // namespace gkv
