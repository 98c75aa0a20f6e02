#include "topic_readiness.h"

#include <gtest/gtest.h>

namespace gkv {
namespace {

TEST(TopicReadiness, WhoMayNotCreateMayStillWriteToWhatIsThere) {
  for (const auto error : {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
                           RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, RD_KAFKA_RESP_ERR_NO_ERROR}) {
    EXPECT_EQ(after_creation(error), Creation::kLookForTopic) << rd_kafka_err2name(error);
  }
}

TEST(TopicReadiness, AControllerThatChangesIsAskedAgain) {
  for (const auto error : {RD_KAFKA_RESP_ERR_NOT_CONTROLLER, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
                           RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT}) {
    EXPECT_EQ(after_creation(error), Creation::kTryAgain) << rd_kafka_err2name(error);
  }
  EXPECT_EQ(after_creation(RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR), Creation::kImpossible);
}

}  // namespace
}  // namespace gkv
