#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "common/failure.h"
#include "common/kafka/config.h"

namespace gkv::kafka {
namespace {

const Origin kServers{"the property bootstrap-servers", {{"bootstrap.servers", "h:1"}}};

Config with(Settings settings) { return {.user = {kServers, {"the property config", std::move(settings)}}}; }

std::string failure_of(const Config& config) {
  try {
    make_handle(RD_KAFKA_PRODUCER, make_conf(config));
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "";
}

/// A file for the length of a test.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) { std::ofstream(path_) << text; }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;
  ~ConfigFile() { std::remove(path_.c_str()); }

  const std::string& path() const { return path_; }

 private:
  std::string path_ = testing::TempDir() + "kafka-config-test-" + std::to_string(getpid()) + ".conf";
};

std::string failure_of_file(const std::string& path) {
  try {
    read_config_file(path);
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "";
}

TEST(KafkaConfig, TheUsersKeysWinOverTheDefaults) {
  Config config = with({{"queue.buffering.max.ms", "7"}});  // an alias of linger.ms
  config.defaults = {{"linger.ms", "0"}, {"client.id", "a"}, {"bootstrap.servers", "localhost:9092"}};
  const Conf conf = make_conf(config);
  EXPECT_EQ(value_of(conf.get(), "linger.ms"), "7");
  EXPECT_EQ(value_of(conf.get(), "client.id"), "a");
  EXPECT_EQ(value_of(conf.get(), "bootstrap.servers"), "h:1");
}

TEST(KafkaConfig, ADefaultThatThisLibrdkafkaDoesNotKnowIsLeftOut) {
  EXPECT_NO_THROW(make_conf({.defaults = {{"of.a.later.release", "1"}}, .user = {kServers}}));
}

TEST(KafkaConfig, AFailureNamesOriginAndKey) {
  EXPECT_EQ(failure_of(with({{"linger", "7"}})), "librdkafka knows no key \"linger\"; correct the property config.");
  EXPECT_EQ(failure_of(with({{"acks", "many"}})),
            "librdkafka refuses the value \"many\" for the key acks; correct the property config.");
  EXPECT_EQ(failure_of({}), "No Kafka broker is named; set the property bootstrap-servers, e.g. localhost:9092.");
}

TEST(KafkaConfig, AKeyOfTheJavaClientIsAFailureThatNamesLibrdkafkas) {
  EXPECT_EQ(failure_of(with({{"sasl.jaas.config", "…"}})),
            "The key sasl.jaas.config is one of Kafka's Java client, and librdkafka has it not; in the property config "
            "set sasl.username and sasl.password.");
}

TEST(KafkaConfig, AKeyThatIsSetTwiceIsAFailureThatNamesBothOrigins) {
  Config config = with({{"metadata.broker.list", "x:1"}});
  EXPECT_EQ(failure_of(config),
            "The key metadata.broker.list is set by the property bootstrap-servers and by the property config; remove "
            "one of them.");
  config = with({{"linger.ms", "1"}});
  config.user.push_back({"the file kafka.conf", {{"linger.ms", "1"}}});
  EXPECT_EQ(failure_of(config),
            "The key linger.ms is set by the property config and by the file kafka.conf; remove one of them.");
}

TEST(KafkaConfig, AKeyThatOneOriginSetsTwiceIsAFailure) {
  EXPECT_EQ(failure_of(with({{"linger.ms", "1"}, {"queue.buffering.max.ms", "2"}})),
            "The key queue.buffering.max.ms is set twice by the property config; remove one.");
}

TEST(KafkaConfig, ContradictoryKeysAreAFailureThatNamesThem) {
  const std::string failure = failure_of(with({{"acks", "1"}, {"enable.idempotence", "true"}}));
  EXPECT_NE(failure.find("`acks`"), std::string::npos) << failure;
  EXPECT_NE(failure.find("property config"), std::string::npos) << failure;
  const std::string file = failure_of(with({{"security.protocol", "ssl"}, {"ssl.ca.location", "/nowhere/ca.pem"}}));
  EXPECT_NE(file.find("ssl.ca.location"), std::string::npos) << file;
}

TEST(KafkaConfig, ASecretIsNotShown) {
  EXPECT_EQ(failure_of(with({{"sasl.oauthbearer.client.secret", ""}})).find("secret="), std::string::npos);
  const std::string failure = failure_of(with({{"ssl.key.pem", "PRIVATE"}, {"security.protocol", "ssl"}}));
  EXPECT_NE(failure, "");
  EXPECT_EQ(failure.find("PRIVATE"), std::string::npos) << failure;
}

TEST(KafkaConfig, KnowsWhichKeysHoldText) {
  EXPECT_TRUE(holds_text("sasl.password"));
  EXPECT_TRUE(holds_text("client.id"));
  EXPECT_FALSE(holds_text("linger.ms"));
  EXPECT_FALSE(holds_text("acks"));
  EXPECT_FALSE(holds_text("enable.idempotence"));
  EXPECT_FALSE(holds_text("security.protocol"));
  EXPECT_FALSE(holds_text("no.such.key"));
}

TEST(KafkaConfig, AFileHasOneKeyALine) {
  const ConfigFile file("# who we are\nsasl.username=alice\n\n  sasl.password = p=s s \r\n");
  const Settings settings = read_config_file(file.path());
  ASSERT_EQ(settings.size(), 2U);
  EXPECT_EQ(settings[0].key, "sasl.username");
  EXPECT_EQ(settings[0].value, "alice");
  EXPECT_EQ(settings[1].key, "sasl.password");
  EXPECT_EQ(settings[1].value, "p=s s");
}

TEST(KafkaConfig, AFileThatIsNotReadableOrMalformedIsAFailureThatNamesIt) {
  EXPECT_EQ(failure_of_file("/no/such.conf"),
            "The file /no/such.conf cannot be read; correct the file or the property config-file.");
  const ConfigFile file("linger.ms=1\nsecret\n");
  EXPECT_EQ(failure_of_file(file.path()), "Line 2 of the file " + file.path() +
                                              " is not of the form key=value; correct the file or the property "
                                              "config-file.");
}

}  // namespace
}  // namespace gkv::kafka
