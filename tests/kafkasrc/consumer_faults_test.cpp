// A reader whose broker is slow, hangs or refuses, and whose topic is not what it was.
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <set>
#include <thread>

#include "consumer_fixture.h"

namespace gkv {
namespace {

using namespace std::chrono_literals;
using Kind = StartOffset::Kind;
using Outcome = FrameConsumer::Outcome;

constexpr int kBroker = 1;
constexpr int kFetch = 1;
constexpr auto kHang = 30s;

class ConsumerFaults : public test::ConsumerTest {
 protected:
  static kafka::Config with(kafka::Settings settings) { return {.user = {{"the case", std::move(settings)}}}; }
};

TEST_F(ConsumerFaults, FlushingWakesAReaderWhoseBrokerHangs) {
  write_numbers(0, 1);
  const auto consumer = make({.start = {.kind = Kind::kEarliest}});
  ASSERT_TRUE(next(*consumer));
  std::this_thread::sleep_for(300ms);  // a long pause of the pipeline: now it asks for the topic's end
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), kBroker, 20'000);
  auto reading = std::async(std::launch::async, [&] { return next(*consumer); });
  EXPECT_EQ(reading.wait_for(500ms), std::future_status::timeout);
  consumer->set_flushing(true);
  // The broker would answer after 20 s.
  ASSERT_EQ(reading.wait_for(5s), std::future_status::ready);
  EXPECT_FALSE(reading.get());
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), kBroker, 0);
}

TEST_F(ConsumerFaults, ANewGroupReadsOverASlowNetwork) {
  write_numbers(0, 5);
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), kBroker, 150);
  const auto consumer = make({.config = in_group("new"), .mode = ReadMode::kStream});
  auto reading = std::async(std::launch::async, [&] {
    std::string values;
    for (int i = 0; i < 5; ++i) values += value_of(*next(*consumer));
    return values;
  });
  ASSERT_EQ(reading.wait_for(kHang), std::future_status::ready);
  EXPECT_EQ(reading.get(), "01234");
}

TEST_F(ConsumerFaults, LatestPassesOverWhatASlowNetworkCannotBring) {
  write_numbers(0, 1);
  // One message in a fetch, and a fetch in 50 ms: 20 messages a second at the most.
  const auto consumer =
      make({.config = with({{"fetch.message.max.bytes", "1000"}}), .start = {.kind = Kind::kEarliest}});
  ASSERT_TRUE(next(*consumer));
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), kBroker, 50);
  std::atomic<bool> done{false};
  auto writing = std::async(std::launch::async, [&] {
    while (!done) {  // some 100 messages a second
      kafka_.produce({.key = "a", .value = std::string(900, 'x')}, "videocam");
      std::this_thread::sleep_for(10ms);
    }
  });
  auto reading = std::async(std::launch::async, [&] {
    while (consumer->skipped() == 0) next(*consumer);
  });
  EXPECT_EQ(reading.wait_for(kHang), std::future_status::ready);
  done = true;
  writing.get();
  consumer->set_flushing(true);
}

TEST_F(ConsumerFaults, AQueueThatWasFullIsFilledAgainAtOnce) {
  write_numbers(0, 200);
  const auto consumer = make({.config = with({{"queued.min.messages", "4"}, {"fetch.message.max.bytes", "200"}}),
                              .mode = ReadMode::kStream,
                              .start = {.kind = Kind::kEarliest}});
  // librdkafka 2.0.2 itself looks once a second whether there is room: it would take 50 s.
  auto reading = std::async(std::launch::async, [&] {
    for (int i = 0; i < 200; ++i) next(*consumer);
  });
  EXPECT_EQ(reading.wait_for(20s), std::future_status::ready);
  consumer->set_flushing(true);
}

TEST_F(ConsumerFaults, AnEagerGroupStartsOnEmptyPartitions) {
  test::MockKafka two("two", 2);
  FrameConsumer::Settings settings{.topics = {"two"}, .mode = ReadMode::kStream};
  settings.config = in_group("eager");
  settings.config.user.push_back(
      {"the case", {{"partition.assignment.strategy", "range"}, {"bootstrap.servers", two.bootstrap_servers()}}});
  settings.config.user.push_back({"more", {{"fetch.wait.max.ms", "5"}, {"session.timeout.ms", "6000"}}});
  settings.connect_timeout = 10s;
  const auto ignore = [](const Failure&) {};
  const auto consumer = stopped_at_end(FrameConsumer::start(settings, {.error = ignore, .warning = ignore}));
  auto first = std::async(std::launch::async, [&] { return value_of(*next(*consumer)); });
  while (consumer->rebalances() == 0) std::this_thread::yield();
  two.write({.value = "0"}, "two");
  ASSERT_EQ(first.wait_for(kHang), std::future_status::ready);
  EXPECT_EQ(first.get(), "0");
  auto second = std::async(std::launch::async, [&] { return value_of(*next(*consumer)); });
  two.write({.value = "1"}, "two", 1);
  ASSERT_EQ(second.wait_for(kHang), std::future_status::ready);
  EXPECT_EQ(second.get(), "1");
}

TEST_F(ConsumerFaults, ARefusalOfAQuietPartitionIsMendedOnce) {
  write_numbers(0, 1);
  const auto consumer = make({.mode = ReadMode::kStream, .start = {.kind = Kind::kEarliest}});
  ASSERT_TRUE(next(*consumer));
  rd_kafka_mock_push_request_errors(kafka_.cluster(), kFetch, 1, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
  auto reading = std::async(std::launch::async, [&] { return value_of(*next(*consumer)); });
  EXPECT_EQ(reading.wait_for(1s), std::future_status::timeout);
  write_numbers(1, 2);
  ASSERT_EQ(reading.wait_for(kHang), std::future_status::ready);
  EXPECT_EQ(reading.get(), "1");
}

TEST_F(ConsumerFaults, MessagesOfOtherSourcesAreCommitted) {
  write_numbers(0, 5);
  const FrameConsumer::Settings filtered{.config = in_group("filter"),
                                         .mode = ReadMode::kStream,
                                         .stop = {.kind = StopAt::Kind::kEnd},
                                         .source_filter = {"other"}};
  auto consumer = make(filtered);
  EXPECT_TRUE(read_to_end(*consumer).empty());
  consumer = nullptr;
  consumer = make({.config = in_group("filter"), .mode = ReadMode::kStream, .stop = {.kind = StopAt::Kind::kEnd}});
  EXPECT_TRUE(read_to_end(*consumer).empty());
}

TEST_F(ConsumerFaults, LatestServesTopicsWithoutKeysInTurn) {
  rd_kafka_mock_topic_create(kafka_.cluster(), "other", 1, 1);
  kafka_.write({.value = "a"});
  kafka_.write({.value = "b"}, "other");
  const auto consumer = make({.topics = {"videocam", "other"}, .start = {.kind = Kind::kEarliest}});
  std::set<std::string> seen;
  for (int i = 0; i < 2; ++i) seen.insert(value_of(*next(*consumer)));
  EXPECT_EQ(seen, (std::set<std::string>{"a", "b"}));
}

TEST_F(ConsumerFaults, SeeksBeforeReadingBeginsAndToTheBeginning) {
  write_numbers(0, 5);
  const auto consumer = make({.mode = ReadMode::kStream});
  ASSERT_TRUE(consumer->seek(0));  // instead of the end
  EXPECT_EQ(value_of(*next(*consumer)), "0");
  EXPECT_EQ(value_of(*next(*consumer)), "1");
  ASSERT_TRUE(consumer->seek(0));
  EXPECT_EQ(value_of(*next(*consumer)), "0");
}

TEST_F(ConsumerFaults, AllPartitionsOfAFetchCountAsHeld) {
  test::MockKafka many("many", 4);
  many.write({.value = std::string(200'000, 'x')}, "many");
  FrameConsumer::Settings settings{.topics = {"many"}, .mode = ReadMode::kStream, .start = {.kind = Kind::kEarliest}};
  settings.max_bytes_held = 4 * 1024 * 1024;
  settings.connect_timeout = 10s;
  settings.config.user.push_back(
      {"the case", {{"fetch.wait.max.ms", "5"}, {"bootstrap.servers", many.bootstrap_servers()}}});
  const auto ignore = [](const Failure&) {};
  const auto consumer = stopped_at_end(FrameConsumer::start(settings, {.error = ignore, .warning = ignore}));
  auto frame = next(*consumer);
  ASSERT_TRUE(consumer->hold(*frame));
  EXPECT_EQ(consumer->statistics().bytes_held, 4U * 1024U * 1024U);
}

TEST_F(ConsumerFaults, FramesThatWaitKeepNoLargeFetch) {
  kafka_.write({.key = "a", .value = "small", .headers = {{"ce_source", "cam"}}});
  const auto consumer = make({.start = {.kind = Kind::kEarliest}, .max_bytes_held = 1024 * 1024});
  const auto frame = next(*consumer);
  ASSERT_TRUE(frame);
  EXPECT_TRUE(frame->is_detached());
  EXPECT_EQ(value_of(*frame), "small");
  EXPECT_EQ(frame->key(), "a");
  EXPECT_EQ(frame->source(), "cam");
  EXPECT_EQ(frame->position().topic, "videocam");
  EXPECT_EQ(consumer->statistics().bytes_held, 0U);
}

TEST_F(ConsumerFaults, StatisticsCanBeReadWhileItStops) {
  write_numbers(0, 1);
  for (int i = 0; i < 30; ++i) {
    const auto consumer = make({.mode = ReadMode::kStream, .start = {.kind = Kind::kEarliest}});
    ASSERT_TRUE(next(*consumer));
    std::atomic<bool> done{false};
    auto watching = std::async(std::launch::async, [&] {
      while (!done) consumer->statistics();
    });
    consumer->stop();
    done = true;
    ASSERT_EQ(watching.wait_for(kHang), std::future_status::ready);
  }
}

TEST_F(ConsumerFaults, NothingIsSaidAfterTheStop) {
  kafka_.set_down();
  FrameConsumer::Settings settings{.topics = {"videocam"}, .connect_timeout = 300ms};
  settings.config.defaults = {{"bootstrap.servers", kafka_.bootstrap_servers()}};
  std::atomic<bool> stopped{false};
  std::atomic<bool> late{false};
  std::promise<void> warned;
  auto token = std::make_shared<int>();
  const std::weak_ptr<int> events = token;
  auto consumer = FrameConsumer::start(settings, {.error = [&late, token](const Failure&) { late = true; },
                                                  .warning =
                                                      [&, token](const Failure&) {
                                                        if (stopped) late = true;
                                                        if (!stopped) warned.set_value();
                                                      }});
  token.reset();
  warned.get_future().get();
  consumer->stop();
  stopped = true;
  consumer.reset();
  while (!events.expired()) std::this_thread::yield();  // until the thread that looked for the broker has ended
  EXPECT_FALSE(late);
}

}  // namespace
}  // namespace gkv
