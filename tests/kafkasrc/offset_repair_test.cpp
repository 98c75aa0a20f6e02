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

TEST(OffsetRepair, ALogThatBeginsAfterWhatWasReadIsAnother) {
  const LogFacts grown{.low = 0, .high = 200, .not_older = 0};
  for (const std::int64_t position : {150, 300}) {  // it may have grown beyond it already
    const Repair found = repair(position, grown, 0s, false);
    EXPECT_EQ(found.kind, Kind::kOtherLog);
    EXPECT_EQ(found.offset, 0);
  }
}

TEST(OffsetRepair, ALogThatHoldsWhatWasReadIsTheSame) {
  const LogFacts same{.low = 100, .high = 200, .not_older = 149};
  EXPECT_EQ(repair(150, same, 0s, false).kind, Kind::kReadOn);
  const LogFacts lagging{.low = 100, .high = 140};  // nothing that is so late yet
  EXPECT_EQ(repair(150, lagging, 0s, false).kind, Kind::kWait);
  const LogFacts of_one{.low = 100, .high = 101, .not_older = 100};  // the only one is the one that was read
  EXPECT_EQ(repair(101, of_one, 0s, false).kind, Kind::kReadOn);
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
