#include "outgoing_queue.h"

#include <gtest/gtest.h>

#include <array>

#include "delivery_latency.h"

namespace gkv {
namespace {

using namespace std::chrono_literals;

OutgoingFrame frame(std::size_t bytes) {
  static const std::array<std::byte, 1000> memory{};
  return {.payload = std::span(memory).first(bytes)};
}

TEST(OutgoingQueue, IsBoundedInFramesAndBytes) {
  OutgoingQueue queue({.frames = 2, .bytes = 100});
  EXPECT_TRUE(queue.has_room(1000));  // nothing else is held
  queue.push(frame(60));
  EXPECT_FALSE(queue.has_room(41));
  EXPECT_TRUE(queue.has_room(40));
  queue.push(frame(1));
  EXPECT_FALSE(queue.has_room(1));
  queue.take_front();
  EXPECT_EQ(queue.bytes(), 1U);
  EXPECT_EQ(queue.held(), 1U);
}

TEST(OutgoingQueue, WhatIsPutBackWaitsInItsOldPlace) {
  OutgoingQueue queue({.frames = 10});
  for (std::size_t size = 0; size < 4; ++size) queue.push(frame(size));
  auto& first = queue.send_front();
  auto& second = queue.send_front();
  auto& third = queue.send_front();
  queue.put_back(second);
  queue.put_back(first);
  queue.put_back(third);
  EXPECT_EQ(queue.under_way(), 0U);
  for (std::size_t size = 0; size < 4; ++size) EXPECT_EQ(queue.take_front().front().frame.payload.size(), size);
  EXPECT_EQ(queue.bytes(), 0U);
}

TEST(DeliveryLatency, TellsTheDistributionWithinNinePerCent) {
  DeliveryLatency latency;
  const auto now = DeliveryLatency::Clock::now();
  for (int i = 1; i <= 100; ++i) latency.record(i * 1ms, now);
  const auto figures = latency.figures();
  EXPECT_GE(figures.p50, 50ms);
  EXPECT_LE(figures.p50, 57ms);
  EXPECT_GE(figures.p99, 99ms);
  EXPECT_EQ(figures.max, 100ms);
}

TEST(DeliveryLatency, ForgetsWhatIsLongAgo) {
  DeliveryLatency latency;
  const auto now = DeliveryLatency::Clock::now();
  latency.record(1s, now);
  latency.record(1ms, now + 70s);
  EXPECT_EQ(latency.figures().max, 1s);
  latency.record(1ms, now + 140s);
  EXPECT_EQ(latency.figures().max, 1ms);
}

TEST(DeliveryLatency, IsNothingWithoutDeliveries) { EXPECT_EQ(DeliveryLatency().figures().max, 0ns); }

}  // namespace
}  // namespace gkv
