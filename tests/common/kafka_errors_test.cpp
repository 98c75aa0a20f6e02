#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/kafka/errors.h"

namespace gkv::kafka {
namespace {

using testing::HasSubstr;
using testing::Not;

const Peer kPeer{.bootstrap_servers = "broker:9092", .topic = "videocam"};

std::string text_of(rd_kafka_resp_err_t error, const std::string& words = {}, const Peer& peer = kPeer) {
  return to_failure(error, words, peer).what();
}

TEST(KafkaErrors, NameWhatToChange) {
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR__RESOLVE), HasSubstr("property bootstrap-servers"));
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN), HasSubstr("No Kafka broker answers at broker:9092"));
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART), HasSubstr("property topic"));
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), HasSubstr("\"videocam\""));
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED), HasSubstr("property group-id"));
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL), HasSubstr("property assignor"));
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID), HasSubstr("group.instance.id"));
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED), HasSubstr("max.poll.interval.ms"));
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE), HasSubstr("property max-message-bytes"));
}

TEST(KafkaErrors, TellWhyTlsFailed) {
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR__SSL, "certificate verify failed"), HasSubstr("ssl.ca.location"));
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR__SSL, "sslv3 alert bad certificate"), HasSubstr("ssl.certificate.location"));
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR__SSL, "wrong version number"), HasSubstr("security.protocol"));
  EXPECT_EQ(refined(RD_KAFKA_RESP_ERR__TRANSPORT, "SSL handshake failed: Disconnected"), RD_KAFKA_RESP_ERR__SSL);
  EXPECT_EQ(refined(RD_KAFKA_RESP_ERR__TRANSPORT, "Connection refused"), RD_KAFKA_RESP_ERR__TRANSPORT);
}

TEST(KafkaErrors, AConnectionThatBreaksDuringTheLoginIsNoRefusal) {
  const auto code = RD_KAFKA_RESP_ERR__AUTHENTICATION;
  EXPECT_EQ(refined(code, "SASL authentication error: SASL PLAIN: Local: Broker transport failure (after 2ms)"),
            RD_KAFKA_RESP_ERR__TRANSPORT);
  EXPECT_EQ(refined(code, "SaslAuthenticateRequest failed: Local: Timed out"), RD_KAFKA_RESP_ERR__TRANSPORT);
  EXPECT_EQ(refined(code, "SASL authentication failed: Disconnected"), RD_KAFKA_RESP_ERR__TRANSPORT);
  EXPECT_EQ(refined(code, "SASL authentication error: Authentication failed: Invalid username or password"), code);
}

TEST(KafkaErrors, WhatABrokerCannotDoOrMayNotIsPermanent) {
  for (const auto code : {RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION}) {
    EXPECT_TRUE(is_permanent(code));
    EXPECT_THAT(text_of(code), HasSubstr("too old"));
  }
  EXPECT_TRUE(is_permanent(RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED));
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED), HasSubstr("idempotent"));
}

TEST(KafkaErrors, ATimestampThatIsRefusedIsTheCamerasClock) {
  const std::string text = text_of(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
  EXPECT_THAT(text, HasSubstr("timestamp=now"));
  EXPECT_THAT(text, HasSubstr("clock of the camera"));
  EXPECT_THAT(text, HasSubstr("message.timestamp.after.max.ms"));
}

TEST(KafkaErrors, APartitionThatIsNotThereIsNoMissingTopic) {
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION), HasSubstr("property partition"));
}

TEST(KafkaErrors, ABrokerThatClosesTheConnectionMaySpeakAnotherProtocol) {
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "Disconnected: verify that security.protocol is right"),
              HasSubstr("security.protocol in the property config"));
}

TEST(KafkaErrors, ScramOnAnOldLibrdkafkaIsNamed) {
  Peer scram = kPeer;
  scram.sasl_mechanism = "SCRAM-SHA-256";
  const bool old = rd_kafka_version() < 0x020601ff;
  const std::string text = text_of(RD_KAFKA_RESP_ERR__AUTHENTICATION, {}, scram);
  EXPECT_EQ(text.find("Kafka 4") != std::string::npos, old) << text;
  EXPECT_THAT(text_of(RD_KAFKA_RESP_ERR__AUTHENTICATION), Not(HasSubstr("Kafka 4")));
}

}  // namespace
}  // namespace gkv::kafka
