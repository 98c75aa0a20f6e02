#include "frame_consumer.h"

#include <algorithm>
#include <future>
#include <map>

#include "consumer_fixture.h"

namespace gkv {
namespace {

using namespace std::chrono_literals;

using Kind = StartOffset::Kind;
using Outcome = FrameConsumer::Outcome;

constexpr int kFetch = 1;

class Consumer : public test::ConsumerTest {};

TEST_F(Consumer, ReadsEveryMessageInOrder) {
  for (int i = 0; i < 20; ++i) kafka_.write({.key = "a", .value = std::to_string(i)});
  const auto consumer = make({.mode = ReadMode::kStream, .start = {.kind = Kind::kEarliest}});
  for (int i = 0; i < 20; ++i) {
    const auto frame = next(*consumer);
    ASSERT_TRUE(frame);
    EXPECT_EQ(value_of(*frame), std::to_string(i));
    EXPECT_EQ(frame->position().offset, i);
  }
}

TEST_F(Consumer, LatestStartsWithWhatComesNow) {
  kafka_.write({.value = "old"});
  const auto consumer = make({});
  auto reading = std::async(std::launch::async, [&] { return value_of(*next(*consumer)); });
  // The consumer takes up its place at a moment that it does not tell: write until it has read.
  while (reading.wait_for(10ms) == std::future_status::timeout) kafka_.write({.value = "new"});
  EXPECT_EQ(reading.get(), "new");
}

TEST_F(Consumer, LatestPassesOverOldFramesOfEachSource) {
  // A small queue of librdkafka's own, which the pause below fills with frames that are old at its end.
  const auto consumer =
      make({.config = {.user = {{"the case", {{"queued.min.messages", "100"}}}}}, .start = {.kind = Kind::kEarliest}});
  kafka_.write({.key = "a", .value = "0"});
  ASSERT_EQ(value_of(*next(*consumer)), "0");
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
    const auto frame = next(*consumer);
    ASSERT_TRUE(frame);
    seen[std::string(frame->key())] = value_of(*frame);
  }
  EXPECT_EQ(seen, last);
  EXPECT_GT(consumer->skipped(), 200U);
}

TEST_F(Consumer, FlushingWakesAWaitingReader) {
  const auto consumer = make({});
  auto reading = std::async(std::launch::async, [&] { return next(*consumer); });
  EXPECT_EQ(reading.wait_for(300ms), std::future_status::timeout);
  consumer->set_flushing(true);
  EXPECT_FALSE(reading.get());
  EXPECT_FALSE(next(*consumer));
  consumer->set_flushing(false);
  auto again = std::async(std::launch::async, [&] { return next(*consumer); });
  while (again.wait_for(10ms) == std::future_status::timeout) kafka_.write({.value = "new"});
  EXPECT_TRUE(again.get());
}

TEST_F(Consumer, FlushingWakesAReaderThatFindsNoBroker) {
  kafka_.set_down();
  FrameConsumer::Settings settings{.topics = {"videocam"}, .connect_timeout = 0ms};
  settings.config.defaults = {{"bootstrap.servers", kafka_.bootstrap_servers()}};
  const auto ignore = [](const Failure&) {};
  const auto consumer = stopped_at_end(FrameConsumer::start(settings, {.error = ignore, .warning = ignore}));
  auto reading = std::async(std::launch::async, [&] { return next(*consumer); });
  EXPECT_EQ(reading.wait_for(100ms), std::future_status::timeout);
  consumer->set_flushing(true);
  EXPECT_FALSE(reading.get());
}

TEST_F(Consumer, AFrameOutlivesItsConsumer) {
  kafka_.write({.value = std::string(200'000, 'x')});
  auto consumer = make({.mode = ReadMode::kStream, .start = {.kind = Kind::kEarliest}});
  std::optional<ReceivedFrame> frame = next(*consumer);
  consumer.reset();
  EXPECT_EQ(value_of(*frame), std::string(200'000, 'x'));
}

TEST_F(Consumer, OnlyAFrameThatIsLargeBesideItsFetchIsHeld) {
  kafka_.write({.value = std::string(10'000, 'x')});
  kafka_.write({.value = std::string(200'000, 'x')});
  const auto consumer =
      make({.mode = ReadMode::kStream, .start = {.kind = Kind::kEarliest}, .max_bytes_held = 1'500'000});
  auto small = next(*consumer);
  auto large = next(*consumer);
  EXPECT_FALSE(consumer->hold(*small));
  EXPECT_TRUE(consumer->hold(*large));
}

TEST_F(Consumer, AGroupGoesOnBehindWhatWasDealtWith) {
  for (int i = 0; i < 6; ++i) kafka_.write({.value = std::to_string(i)});
  const FrameConsumer::Settings settings{.config = in_group("archive"), .mode = ReadMode::kStream};
  auto consumer = make(settings);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(value_of(*next(*consumer)), std::to_string(i));
  consumer = nullptr;  // the fourth was handed out, but nobody asked for the one behind it
  consumer = make(settings);
  EXPECT_EQ(value_of(*next(*consumer)), "3");
}

TEST_F(Consumer, HeldBytesAreBoundedAndGivenBack) {
  for (int i = 0; i < 3; ++i) kafka_.write({.value = std::string(200'000, 'x')});
  const auto consumer = make(
      {.mode = ReadMode::kStream, .start = {.kind = Kind::kEarliest}, .max_bytes_held = 1024 * 1024});  // one fetch
  auto first = next(*consumer);
  auto second = next(*consumer);
  EXPECT_TRUE(consumer->hold(*first));
  EXPECT_EQ(consumer->statistics().bytes_held, 1024U * 1024U);
  EXPECT_FALSE(consumer->hold(*second));
  first.reset();
  EXPECT_EQ(consumer->statistics().bytes_held, 0U);
  EXPECT_TRUE(consumer->hold(*second));
}

TEST_F(Consumer, StartsAtAnOffsetOrSoManyBeforeTheEnd) {
  write_numbers(0, 10);
  const auto first_from = [&](std::int64_t number) {
    const auto consumer = make({.mode = ReadMode::kStream, .start = {.kind = Kind::kNumber, .number = number}});
    return value_of(*next(*consumer));
  };
  EXPECT_EQ(first_from(4), "4");
  EXPECT_EQ(first_from(-2), "8");
  EXPECT_EQ(first_from(-100), "0");
}

TEST_F(Consumer, StopsAtTheEndOfTheStart) {
  write_numbers(0, 5);
  const auto consumer =
      make({.mode = ReadMode::kStream, .start = {.kind = Kind::kEarliest}, .stop = {.kind = StopAt::Kind::kEnd}});
  EXPECT_EQ(value_of(*next(*consumer)), "0");
  write_numbers(5, 10);  // came after the start
  EXPECT_EQ(read_to_end(*consumer), (std::vector<std::string>{"1", "2", "3", "4"}));
}

TEST_F(Consumer, AnEmptyTopicHasItsEndAtOnce) {
  const auto consumer =
      make({.mode = ReadMode::kStream, .start = {.kind = Kind::kEarliest}, .stop = {.kind = StopAt::Kind::kEnd}});
  EXPECT_TRUE(read_to_end(*consumer).empty());
}

TEST_F(Consumer, StopsBeforeATime) {
  write_numbers(0, 10);
  const auto consumer = make({.mode = ReadMode::kStream,
                              .start = {.kind = Kind::kEarliest},
                              .stop = {.kind = StopAt::Kind::kTime, .time_ms = 1003}});
  EXPECT_EQ(read_to_end(*consumer), (std::vector<std::string>{"0", "1", "2"}));
}

TEST_F(Consumer, TakesOnlySomeSources) {
  for (const char* key : {"cam-1", "other", "cam-2"}) kafka_.write({.key = key, .value = key});
  kafka_.write({.key = "other", .value = "cam-3", .headers = {{"ce_source", "cam-3"}}});
  const auto consumer = make({.mode = ReadMode::kStream,
                              .start = {.kind = Kind::kEarliest},
                              .stop = {.kind = StopAt::Kind::kEnd},
                              .source_filter = {"cam-?"}});
  EXPECT_EQ(read_to_end(*consumer), (std::vector<std::string>{"cam-1", "cam-2", "cam-3"}));
  EXPECT_EQ(consumer->statistics().counts.filtered, 1U);
}

TEST_F(Consumer, ReadsSeveralTopicsAndThoseThatMatch) {
  for (const char* topic : {"cam-a", "cam-b", "other"}) {
    rd_kafka_mock_topic_create(kafka_.cluster(), topic, 1, 1);
  }
  write_numbers(0, 2);
  kafka_.write({.value = "a"}, "cam-a");
  kafka_.write({.value = "b"}, "cam-b");
  const auto read = [&](std::vector<std::string> topics) {
    const auto consumer = make({.topics = std::move(topics),
                                .mode = ReadMode::kStream,
                                .start = {.kind = Kind::kEarliest},
                                .stop = {.kind = StopAt::Kind::kEnd}});
    auto values = read_to_end(*consumer);
    std::sort(values.begin(), values.end());
    return values;
  };
  EXPECT_EQ(read({"videocam", "cam-a"}), (std::vector<std::string>{"0", "1", "a"}));
  EXPECT_EQ(read({"^cam-.*"}), (std::vector<std::string>{"a", "b"}));
}

TEST_F(Consumer, APartitionThatTheTopicHasNotIsAnError) {
  std::promise<std::string> error;
  FrameConsumer::Settings settings{.topics = {"videocam"}, .partitions = {1}, .connect_timeout = 10s};
  settings.config.user = {{"the test", {{"bootstrap.servers", kafka_.bootstrap_servers()}}}};
  const auto consumer = stopped_at_end(FrameConsumer::start(
      settings,
      {.error = [&](const Failure& failure) { error.set_value(failure.what()); }, .warning = [](const Failure&) {}}));
  EXPECT_FALSE(next(*consumer));
  EXPECT_EQ(error.get_future().get(),
            "The topic \"videocam\" has no partition 1; its partitions are 0 to 0: correct the property partitions.");
}

TEST_F(Consumer, ABrokerThatLagsBehindMakesItNeitherRewindNorSkip) {
  write_numbers(0, 5);
  const auto consumer = make({.mode = ReadMode::kStream, .start = {.kind = Kind::kEarliest}});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(value_of(*next(*consumer)), std::to_string(i));
  for (int i = 0; i < 3; ++i) {
    rd_kafka_mock_push_request_errors(kafka_.cluster(), kFetch, 1, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
  }
  auto reading = std::async(std::launch::async, [&] {
    std::string values;
    for (int i = 5; i < 10; ++i) values += value_of(*next(*consumer));
    return values;
  });
  write_numbers(5, 10);
  EXPECT_EQ(reading.get(), "56789");
  EXPECT_EQ(consumer->statistics().counts.lost, 0U);
}

TEST_F(Consumer, PushedCommitsRepeatNothingThatWasDealtWith) {
  write_numbers(0, 6);
  const FrameConsumer::Settings settings{
      .config = in_group("archive"), .mode = ReadMode::kStream, .commit = Commit::kPushed};
  auto consumer = make(settings);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(value_of(*next(*consumer)), std::to_string(i));
  consumer = nullptr;
  consumer = make(settings);
  EXPECT_EQ(value_of(*next(*consumer)), "3");  // the fourth was handed out, but nobody asked for the one behind it
}

TEST_F(Consumer, WithoutCommitsAGroupBeginsAgain) {
  write_numbers(0, 3);
  const FrameConsumer::Settings settings{
      .config = in_group("archive"), .mode = ReadMode::kStream, .commit = Commit::kNone};
  for (int run = 0; run < 2; ++run) {
    const auto consumer = make(settings);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(value_of(*next(*consumer)), std::to_string(i));
  }
}

TEST_F(Consumer, TellsLagAndWhenTheLastMessageCame) {
  write_numbers(0, 10);
  const auto consumer = make({.mode = ReadMode::kStream, .start = {.kind = Kind::kEarliest}});
  EXPECT_FALSE(consumer->statistics().since_last_message);
  for (int i = 0; i < 4; ++i) next(*consumer);
  const auto statistics = consumer->statistics();
  EXPECT_EQ(statistics.counts.messages, 4U);
  EXPECT_TRUE(statistics.since_last_message);
  // It is told as of a moment ago.
  for (int i = 10; consumer->statistics().lag.empty(); ++i) {
    write_numbers(i, i + 1);
    next(*consumer);
  }
  EXPECT_GE(consumer->statistics().lag.at("videocam-0"), 6);
}

TEST_F(Consumer, ContradictionsAreFailuresBeforeAnythingIsConnected) {
  const auto failure_of = [](FrameConsumer::Settings settings) -> std::string {
    settings.topics = {"t"};
    settings.config.defaults = {{"bootstrap.servers", "h:1"}};
    try {
      FrameConsumer::check(settings);
    } catch (const Failure& failure) {
      return failure.what();
    }
    return "";
  };
  EXPECT_EQ(failure_of({}), "");
  EXPECT_NE(failure_of({.config = in_group("g"), .partitions = {0}}).find("property partitions or group-id"),
            std::string::npos);
  EXPECT_NE(failure_of({.start = {.kind = Kind::kCommitted}}).find("set the property group-id"), std::string::npos);
}

}  // namespace
}  // namespace gkv
