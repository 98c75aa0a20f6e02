#include "producer_config.h"

#include <gtest/gtest.h>

namespace gkv {
namespace {

kafka::Conf conf_of(bool live, kafka::Settings user) {
  kafka::Config config{.user = {{"the test", std::move(user)}}};
  config.defaults.push_back({"bootstrap.servers", "h:1"});
  add_producer_defaults(config, live, {});
  return kafka::make_conf(config);
}

TEST(ProducerConfig, LiveSendsNothingTwiceAndLosslessIsIdempotent) {
  const auto live = conf_of(true, {});
  EXPECT_EQ(kafka::value_of(live.get(), "enable.idempotence"), "false");
  EXPECT_EQ(kafka::value_of(live.get(), "retries"), "0");
  const auto lossless = conf_of(false, {});
  EXPECT_EQ(kafka::value_of(lossless.get(), "enable.idempotence"), "true");
  EXPECT_EQ(kafka::value_of(lossless.get(), "message.timeout.ms"), "0");
}

TEST(ProducerConfig, LiveGivesWayToAUserWhoWantsIdempotence) {
  EXPECT_NO_THROW(kafka::make_handle(RD_KAFKA_PRODUCER, conf_of(true, {{"enable.idempotence", "true"}})));
}

}  // namespace
}  // namespace gkv
