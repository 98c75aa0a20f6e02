#include <gtest/gtest.h>

#include "common/failure.h"
#include "common/kafka/statistics.h"

namespace gkv::kafka {
namespace {

TEST(KafkaStatistics, TellTheRoundTrip) {
  StatisticsReader reader;
  reader.read(R"({"brokers": {
      "a:1/1": {"connects": 3, "rtt": {"sum": 3000, "cnt": 2}},
      "b:1/2": {"connects": 1, "rtt": {"sum": 1000, "cnt": 2}},
      "bootstrap": {"connects": 0}}})");
  EXPECT_EQ(reader.known().round_trip.count(), 1000);
}

TEST(KafkaStatistics, CountWhatIsConnectedAgainAndNotTheAttempts) {
  StatisticsReader reader;
  const auto reconnects_after = [&](const char* json) {
    reader.read(json);
    return reader.known().reconnects;
  };
  EXPECT_EQ(reconnects_after(R"({"brokers": {"a": {"state": "UP", "connects": 3}}})"), 0U);
  EXPECT_EQ(reconnects_after(R"({"brokers": {"a": {"state": "DOWN", "connects": 9}}})"), 0U);
  EXPECT_EQ(reconnects_after(R"({"brokers": {"a": {"state": "UP", "connects": 12}}})"), 1U);
  EXPECT_EQ(reconnects_after(R"({"brokers": {"a": {"state": "UP", "connects": 12}}})"), 1U);
  EXPECT_EQ(reconnects_after(R"({"brokers": {"a": {"state": "UP", "connects": 1}}})"), 2U);  // of a new handle
}

TEST(KafkaStatistics, NothingIsKnownWithoutAnswers) {
  StatisticsReader reader;
  reader.read(R"({"brokers": {"a:1/1": {"connects": 0, "rtt": {"sum": 0, "cnt": 0}}}})");
  EXPECT_EQ(reader.known().round_trip.count(), 0);
  EXPECT_EQ(reader.known().reconnects, 0U);
}

TEST(KafkaStatistics, AnotherJsonIsAFailureAndChangesNothing) {
  StatisticsReader reader;
  reader.read(R"({"brokers": {"a:1/1": {"rtt": {"sum": 3000, "cnt": 2}}}})");
  EXPECT_THROW(reader.read("[]"), Failure);
  EXPECT_THROW(reader.read(R"({"client_id": "front "A"", "brokers": {}})"), std::exception);
  EXPECT_EQ(reader.known().round_trip.count(), 1500);
}

}  // namespace
}  // namespace gkv::kafka
