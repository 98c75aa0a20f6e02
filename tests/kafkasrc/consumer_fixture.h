#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "frame_consumer.h"
#include "mock_kafka.h"

namespace gkv::test {

/// Consumers of a mock cluster.
class ConsumerTest : public testing::Test {
 protected:
  /// A consumer that is stopped when the last reference goes.
  std::shared_ptr<FrameConsumer> make(FrameConsumer::Settings settings) {
    if (settings.topics.empty()) settings.topics = {"videocam"};
    settings.connect_timeout = std::chrono::seconds(10);
    settings.config.user.push_back({"the test",
                                    {{"bootstrap.servers", kafka_.bootstrap_servers()},
                                     {"fetch.wait.max.ms", "5"},
                                     {"session.timeout.ms", "6000"},
                                     {"heartbeat.interval.ms", "100"}}});
    const auto fail = [](const Failure& failure) { ADD_FAILURE() << failure.what() << failure.detail(); };
    kafka::Events events{.error = fail, .warning = fail, .info = [](const std::string&) {}};
    if (warnings_) events.warning = [this](const Failure& failure) { warnings_->push_back(failure.what()); };
    return stopped_at_end(FrameConsumer::start(std::move(settings), std::move(events)));
  }
  static std::shared_ptr<FrameConsumer> stopped_at_end(const std::shared_ptr<FrameConsumer>& consumer) {
    return {consumer.get(), [consumer](FrameConsumer* last) { last->stop(); }};
  }
  static std::string value_of(const ReceivedFrame& frame) {
    return {reinterpret_cast<const char*>(frame.payload().data()), frame.payload().size()};
  }
  static std::optional<ReceivedFrame> next(FrameConsumer& consumer) {
    std::optional<ReceivedFrame> frame;
    return consumer.next(frame) == FrameConsumer::Outcome::kFrame ? std::move(frame) : std::nullopt;
  }
  static kafka::Config in_group(const std::string& name) {
    return {.user = {{"the property group-id", {{"group.id", name}}}}};
  }
  /// What can be read before the end.
  static std::vector<std::string> read_to_end(FrameConsumer& consumer) {
    std::vector<std::string> values;
    std::optional<ReceivedFrame> frame;
    while (consumer.next(frame) == FrameConsumer::Outcome::kFrame) values.push_back(value_of(*frame));
    return values;
  }
  void write_numbers(int from, int to) {
    for (int i = from; i < to; ++i) kafka_.write({.key = "a", .value = std::to_string(i), .timestamp_ms = 1000 + i});
  }

  std::optional<std::vector<std::string>> warnings_;  ///< null: none are expected
  MockKafka kafka_{"videocam"};
};

}  // namespace gkv::test
