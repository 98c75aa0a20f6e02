#include <gtest/gtest.h>

#include "common/failure.h"
#include "common/kafka/statistics.h"

namespace gkv::kafka {
namespace {

TEST(KafkaStatistics, TellRoundTripAndReconnects) {
  const Statistics statistics = to_statistics(R"({"brokers": {
      "a:1/1": {"connects": 3, "rtt": {"sum": 3000, "cnt": 2}},
      "b:1/2": {"connects": 1, "rtt": {"sum": 1000, "cnt": 2}},
      "bootstrap": {"connects": 0}}})");
  EXPECT_EQ(statistics.round_trip.count(), 1000);
  EXPECT_EQ(statistics.reconnects, 2U);
}

TEST(KafkaStatistics, NothingIsKnownWithoutAnswers) {
  const Statistics statistics =
      to_statistics(R"({"brokers": {"a:1/1": {"connects": 0, "rtt": {"sum": 0, "cnt": 0}}}})");
  EXPECT_EQ(statistics.round_trip.count(), 0);
  EXPECT_EQ(statistics.reconnects, 0U);
}

TEST(KafkaStatistics, AnotherJsonIsAFailure) { EXPECT_THROW(to_statistics("[]"), Failure); }

}  // namespace
}  // namespace gkv::kafka
