#include "offset_repair.h"

#include <gtest/gtest.h>

namespace gkv {
namespace {

using Kind = Repair::Kind;
using namespace std::chrono_literals;

constexpr LogFacts kMarks{.low = 100, .high = 200};

TEST(OffsetRepair, AnOffsetThatTheLogHasIsReadOn) {
  for (const std::int64_t position : {100, 150, 200}) {
    const Repair found = repair(position, kMarks, 0s, false);
    EXPECT_EQ(found.kind, Kind::kReadOn);
    EXPECT_EQ(found.offset, position);
  }
}

TEST(OffsetRepair, WhatWasDeletedIsCounted) {
  const Repair stream = repair(40, kMarks, 0s, false);
  EXPECT_EQ(stream.kind, Kind::kRetention);
  EXPECT_EQ(stream.lost, 60);
  EXPECT_EQ(stream.offset, 100);
  EXPECT_EQ(repair(40, kMarks, 0s, true).offset, 200);
}

TEST(OffsetRepair, ALogThatEndsBeforeTheOffsetMayLagBehind) {
  const Repair found = repair(300, kMarks, kPatienceWithShortLogs - 1s, false);
  EXPECT_EQ(found.kind, Kind::kWait);
  EXPECT_EQ(found.offset, 300);
}

TEST(OffsetRepair, AnotherLogIsReadFromItsBeginning) {
  const LogFacts other{.low = 0, .high = 200, .is_other = true};
  for (const std::int64_t position : {150, 300}) {  // it may have grown beyond it already
    const Repair found = repair(position, other, 0s, false);
    EXPECT_EQ(found.kind, Kind::kOtherLog);
    EXPECT_EQ(found.offset, 0);
  }
}

TEST(OffsetRepair, AnAnswerThatCameDownIsAnotherLogs) {
  const LogReference reference{.timestamp_ms = 1000, .offset = 50};
  EXPECT_TRUE(is_other_log(reference, 0));
  EXPECT_FALSE(is_other_log(reference, 50));
  EXPECT_FALSE(is_other_log(reference, 80));  // retention
  EXPECT_FALSE(is_other_log(reference, -1));  // a broker that lags behind, or an empty log
  EXPECT_FALSE(is_other_log(reference, std::nullopt));
  EXPECT_FALSE(is_other_log(std::nullopt, 0));
}

TEST(OffsetRepair, ALogThatStaysShortIsAnother) {
  const Repair stream = repair(300, kMarks, kPatienceWithShortLogs, false);
  EXPECT_EQ(stream.kind, Kind::kOtherLog);
  EXPECT_EQ(stream.offset, 100);
  EXPECT_EQ(stream.lost, 0);
  EXPECT_EQ(repair(300, kMarks, kPatienceWithShortLogs, true).offset, 200);
}

}  // namespace
}  // namespace gkv
