#include "common/kafka/client.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gkv::kafka {
namespace {

using namespace std::chrono_literals;

/// A client of librdkafka's own mock cluster.
class KafkaClient : public testing::Test {
 protected:
  std::unique_ptr<Client> make(Settings settings = {}) {
    settings.push_back({"test.mock.num.brokers", "1"});
    settings.push_back({"log_level", log_ ? "7" : "0"});
    Conf conf = make_conf({.defaults = {{"bootstrap.servers", "mock"}}, .user = {{"the test", settings}}});
    auto events = Events{.error = [this](const Failure& failure) { told_.emplace_back("error " + failure.detail()); },
                         .warning = [this](const Failure& failure) { told_.emplace_back("warning " + failure.detail()); },
                         .info = [this](const std::string&) { told_.emplace_back("info"); },
                         .log =
                             [this](int, const std::string& text) {
                               if (log_) log_(text);
                             }};
    return std::make_unique<Client>(RD_KAFKA_PRODUCER, std::move(conf), "videocam", std::move(events), nullptr,
                                    history_);
  }
  static Client::Readiness connect(Client& client) {
    std::vector<TopicSize> found;
    return client.wait_for_topics({"videocam"}, 0ms, std::atomic<bool>(false), found);
  }

  std::function<void(const std::string&)> log_;  ///< on any thread
  std::vector<std::string> told_;
  std::shared_ptr<ClientHistory> history_ = std::make_shared<ClientHistory>();
};

TEST_F(KafkaClient, AUserWhoIsRefusedAtFirstIsAnError) {
  const auto client = make();
  client->saw_error(RD_KAFKA_RESP_ERR__AUTHENTICATION, "no such user");
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].substr(0, 5), "error");
}

TEST_F(KafkaClient, AUserWhoIsRefusedLaterIsAnOutage) {
  const auto client = make();
  ASSERT_EQ(connect(*client), Client::Readiness::kReady);
  client->saw_error(RD_KAFKA_RESP_ERR__AUTHENTICATION, "the password has changed");
  client->saw_error(RD_KAFKA_RESP_ERR__AUTHENTICATION, "the password has changed");
  client->saw_success();
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[0].substr(0, 7), "warning");
  EXPECT_EQ(told_[1], "info");
}

TEST_F(KafkaClient, AnotherClientGoesOnWithTheHistory) {
  auto client = make();
  ASSERT_EQ(connect(*client), Client::Readiness::kReady);
  client->saw_error(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "");
  client = make();
  client->saw_error(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "");
  EXPECT_EQ(client->error_counts()["_ALL_BROKERS_DOWN"], 2U);
  ASSERT_EQ(connect(*client), Client::Readiness::kReady);
  EXPECT_EQ(told_.size(), 1U);  // that it is connected does not say that messages go
  client->saw_success();
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[1], "info");
}

TEST_F(KafkaClient, WhoHasStoppedHearsNoMore) {
  std::atomic<bool> stop{false};
  log_ = [&](const std::string& text) { stop = stop || text.find("Sent MetadataRequest") != std::string::npos; };
  const auto client = make({{"debug", "protocol"}});
  rd_kafka_mock_cluster_t* cluster = rd_kafka_handle_mock_cluster(client->handle());
  rd_kafka_mock_topic_set_error(cluster, "videocam", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  std::vector<TopicSize> found;
  EXPECT_EQ(client->wait_for_topics({"videocam"}, 1ms, stop, found), Client::Readiness::kStopped);
  EXPECT_TRUE(told_.empty());
}

TEST_F(KafkaClient, StatisticsThatAreNoJsonDoNoHarm) {
  std::string log;
  Conf conf = make_conf({.user = {{"the test",
                                   {{"bootstrap.servers", "mock"},
                                    {"client.id", "front \"A\""},
                                    {"statistics.interval.ms", "10"},
                                    {"test.mock.num.brokers", "1"},
                                    {"log_level", "0"}}}}});
  Client client(RD_KAFKA_PRODUCER, std::move(conf), "videocam",
                {.log = [&](int, const std::string& text) { log += text.starts_with("STATS") ? text : ""; }}, nullptr);
  while (log.empty()) rd_kafka_poll(client.handle(), 1000);
  EXPECT_EQ(client.statistics().round_trip.count(), 0);
}

TEST_F(KafkaClient, StatisticsAreReadAtTheUsersIntervalToo) {
  const auto client = make({{"statistics.interval.ms", "10"}});
  ASSERT_EQ(connect(*client), Client::Readiness::kReady);
  while (client->statistics().round_trip.count() == 0) rd_kafka_poll(client->handle(), 1000);
}

TEST_F(KafkaClient, OnlyThePartitionThatIsWrittenNeedsALeader) {
  const auto client = make();
  rd_kafka_mock_cluster_t* cluster = rd_kafka_handle_mock_cluster(client->handle());
  rd_kafka_mock_topic_create(cluster, "videocam", 2, 1);
  rd_kafka_mock_partition_set_leader(cluster, "videocam", 1, -1);
  std::vector<TopicSize> found;
  EXPECT_EQ(client->look_for_topics({"videocam"}, 10s, found, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
  EXPECT_EQ(client->look_for_topics({"videocam"}, 10s, found, 1), RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
  EXPECT_EQ(client->look_for_topics({"videocam"}, 10s, found), RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
}

}  // namespace
}  // namespace gkv::kafka
