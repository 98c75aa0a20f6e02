#include <gtest/gtest.h>

#include <array>

#include "common/failure.h"
#include "common/kafka/config.h"

namespace gkv::kafka {
namespace {

std::string value_of(const Conf& conf, const char* key) {
  std::array<char, 512> value{};
  std::size_t size = value.size();
  return rd_kafka_conf_get(conf.get(), key, value.data(), &size) == RD_KAFKA_CONF_OK ? value.data() : "";
}

std::string failure_of(const Config& config) {
  try {
    make_handle(RD_KAFKA_PRODUCER, make_conf(config));
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "";
}

TEST(KafkaConfig, TheUsersKeysWinOverTheDefaults) {
  const Conf conf = make_conf(
      {.bootstrap_servers = "h:1", .defaults = {{"linger.ms", "0"}, {"client.id", "a"}}, .user = {{"linger.ms", "7"}}});
  EXPECT_EQ(value_of(conf, "linger.ms"), "7");
  EXPECT_EQ(value_of(conf, "client.id"), "a");
  EXPECT_EQ(value_of(conf, "bootstrap.servers"), "h:1");
}

TEST(KafkaConfig, ADefaultThatThisLibrdkafkaDoesNotKnowIsLeftOut) {
  EXPECT_NO_THROW(make_conf({.bootstrap_servers = "h:1", .defaults = {{"of.a.later.release", "1"}}}));
}

TEST(KafkaConfig, AFailureNamesPropertyAndKey) {
  EXPECT_EQ(failure_of({.bootstrap_servers = "h:1", .user = {{"linger", "7"}}}),
            "librdkafka knows no key \"linger\"; correct the property config.");
  EXPECT_EQ(failure_of({.bootstrap_servers = "h:1", .user = {{"acks", "many"}}}),
            "librdkafka refuses the value \"many\" for the key acks; correct the property config.");
  EXPECT_EQ(failure_of({.bootstrap_servers = "h:1", .user = {{"bootstrap.servers", "x"}}}),
            "The property config must not contain bootstrap.servers; set the property bootstrap-servers instead.");
  EXPECT_EQ(failure_of({}), "No Kafka broker is named; set the property bootstrap-servers, e.g. localhost:9092.");
  EXPECT_EQ(failure_of({.bootstrap_servers = "h:1",
                        .user = {{"security.protocol", "ssl"}, {"ssl.ca.location", "/nowhere/ca.pem"}}}),
            "librdkafka refuses its configuration; correct the property config.");
}

}  // namespace
}  // namespace gkv::kafka
