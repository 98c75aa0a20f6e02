#include "frame_consumer.h"

#include <gtest/gtest.h>

#include <future>
#include <map>

#include "mock_kafka.h"

namespace gkv {
namespace {

using test::MockKafka;
using namespace std::chrono_literals;

class Consumer : public testing::Test {
 protected:
  /// A consumer that is stopped when the last reference goes.
  std::shared_ptr<FrameConsumer> make(FrameConsumer::Settings settings) {
    settings.topic = "videocam";
    settings.connect_timeout = 10s;
    settings.config.user.push_back({"the test",
                                    {{"bootstrap.servers", kafka_.bootstrap_servers()},
                                     {"fetch.wait.max.ms", "5"},
                                     {"session.timeout.ms", "6000"},
                                     {"heartbeat.interval.ms", "100"}}});
    const auto fail = [](const Failure& failure) { ADD_FAILURE() << failure.what() << failure.detail(); };
    return stopped_at_end(
        FrameConsumer::start(std::move(settings), {.error = fail, .warning = fail, .info = [](const std::string&) {}}));
  }
  static std::shared_ptr<FrameConsumer> stopped_at_end(const std::shared_ptr<FrameConsumer>& consumer) {
    return {consumer.get(), [consumer](FrameConsumer* last) { last->stop(); }};
  }
  static std::string value_of(const ReceivedFrame& frame) {
    return {reinterpret_cast<const char*>(frame.payload().data()), frame.payload().size()};
  }

  MockKafka kafka_{"videocam"};
};

TEST_F(Consumer, ReadsEveryMessageInOrder) {
  for (int i = 0; i < 20; ++i) kafka_.write({.key = "a", .value = std::to_string(i)});
  const auto consumer = make({.mode = ReadMode::kStream, .start_offset = StartOffset::kEarliest});
  for (int i = 0; i < 20; ++i) {
    const auto frame = consumer->next();
    ASSERT_TRUE(frame);
    EXPECT_EQ(value_of(*frame), std::to_string(i));
    EXPECT_EQ(frame->position().offset, i);
  }
}

TEST_F(Consumer, LatestStartsWithWhatComesNow) {
  kafka_.write({.value = "old"});
  const auto consumer = make({});
  auto next = std::async(std::launch::async, [&] { return value_of(*consumer->next()); });
  // The consumer takes up its place at a moment that it does not tell: write until it has read.
  while (next.wait_for(10ms) == std::future_status::timeout) kafka_.write({.value = "new"});
  EXPECT_EQ(next.get(), "new");
}

TEST_F(Consumer, LatestPassesOverOldFramesOfEachSource) {
  // A small queue of librdkafka's own, which the pause below fills with frames that are old at its end.
  const auto consumer =
      make({.config = {.user = {{"the case", {{"queued.min.messages", "100"}}}}}, .start_offset = StartOffset::kEarliest});
  kafka_.write({.key = "a", .value = "0"});
  ASSERT_EQ(value_of(*consumer->next()), "0");
  // While the reader is away, the sources go on; "quiet" is not the last writer.
  const auto until = std::chrono::steady_clock::now() + 300ms;
  std::map<std::string, std::string> last;
  for (int i = 1; i <= 400 || std::chrono::steady_clock::now() < until; ++i) {
    const std::string key = i % 20 == 5 ? "quiet" : i % 2 == 0 ? "a" : "b";
    last[key] = std::to_string(i);
    kafka_.write({.key = key, .value = last[key]});
  }
  std::map<std::string, std::string> seen;
  for (int i = 0; i < 3; ++i) {
    const auto frame = consumer->next();
    ASSERT_TRUE(frame);
    seen[frame->key()] = value_of(*frame);
  }
  EXPECT_EQ(seen, last);
  EXPECT_GT(consumer->skipped(), 200U);
}

TEST_F(Consumer, FlushingWakesAWaitingReader) {
  const auto consumer = make({});
  auto next = std::async(std::launch::async, [&] { return consumer->next(); });
  EXPECT_EQ(next.wait_for(300ms), std::future_status::timeout);
  consumer->set_flushing(true);
  EXPECT_FALSE(next.get());
  EXPECT_FALSE(consumer->next());
  consumer->set_flushing(false);
  auto again = std::async(std::launch::async, [&] { return consumer->next(); });
  while (again.wait_for(10ms) == std::future_status::timeout) kafka_.write({.value = "new"});
  EXPECT_TRUE(again.get());
}

TEST_F(Consumer, FlushingWakesAReaderThatFindsNoBroker) {
  kafka_.set_down();
  FrameConsumer::Settings settings{.topic = "videocam", .connect_timeout = 0ms};
  settings.config.defaults = {{"bootstrap.servers", kafka_.bootstrap_servers()}};
  const auto ignore = [](const Failure&) {};
  const auto consumer = stopped_at_end(FrameConsumer::start(settings, {.error = ignore, .warning = ignore}));
  auto next = std::async(std::launch::async, [&] { return consumer->next(); });
  EXPECT_EQ(next.wait_for(100ms), std::future_status::timeout);
  consumer->set_flushing(true);
  EXPECT_FALSE(next.get());
}

TEST_F(Consumer, AFrameOutlivesItsConsumer) {
  kafka_.write({.value = std::string(200'000, 'x')});
  auto consumer = make({.mode = ReadMode::kStream, .start_offset = StartOffset::kEarliest});
  std::optional<ReceivedFrame> frame = consumer->next();
  consumer.reset();
  EXPECT_EQ(value_of(*frame), std::string(200'000, 'x'));
}

TEST_F(Consumer, OnlyAFrameThatIsLargeBesideItsFetchIsHeld) {
  kafka_.write({.value = std::string(10'000, 'x')});
  kafka_.write({.value = std::string(200'000, 'x')});
  const auto consumer = make({.mode = ReadMode::kStream, .start_offset = StartOffset::kEarliest});
  EXPECT_FALSE(consumer->may_be_held(*consumer->next()));
  EXPECT_TRUE(consumer->may_be_held(*consumer->next()));
}

TEST_F(Consumer, AGroupGoesOnBehindWhatWasDealtWith) {
  for (int i = 0; i < 6; ++i) kafka_.write({.value = std::to_string(i)});
  const FrameConsumer::Settings settings{.group_id = "archive", .mode = ReadMode::kStream};
  auto consumer = make(settings);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(value_of(*consumer->next()), std::to_string(i));
  consumer = nullptr;  // the fourth was handed out, but nobody asked for the one behind it
  consumer = make(settings);
  EXPECT_EQ(value_of(*consumer->next()), "3");
}

}  // namespace
}  // namespace gkv
