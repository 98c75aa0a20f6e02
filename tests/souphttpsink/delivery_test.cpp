#include "souphttpsink/delivery.h"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using gkv::Delivery;

gkv::FramePtr frame() { return gkv::make_frame(gkv::make_bytes("jpeg"), std::nullopt); }

class DeliveryTest : public testing::Test {
 protected:
  const Delivery::Clock::time_point start_ = Delivery::Clock::now();
  Delivery delivery_;
};

TEST_F(DeliveryTest, SendsTheFirstFrameBehindTheOpeningLine) {
  const auto first = frame();
  EXPECT_EQ(delivery_.offer(first, start_), nullptr);
  EXPECT_EQ(delivery_.drained(start_), first);
}

TEST_F(DeliveryTest, SendsAtOnceWhenAllIsOut) {
  delivery_.drained(start_);
  const auto first = frame();
  EXPECT_EQ(delivery_.offer(first, start_), first);
}

TEST_F(DeliveryTest, SkipsToTheNewestWhileBusy) {
  delivery_.drained(start_);
  delivery_.offer(frame(), start_);
  const auto skipped = frame();
  const auto newest = frame();
  EXPECT_EQ(delivery_.offer(skipped, start_), nullptr);
  EXPECT_EQ(delivery_.offer(newest, start_), nullptr);
  EXPECT_EQ(delivery_.drained(start_), newest);
  EXPECT_EQ(delivery_.drained(start_), nullptr);
}

TEST_F(DeliveryTest, SendsNoFrameTwiceUnasked) {
  delivery_.drained(start_);
  const auto first = frame();
  delivery_.offer(first, start_);
  delivery_.drained(start_);
  EXPECT_EQ(delivery_.offer(first, start_), nullptr);
}

TEST_F(DeliveryTest, RepeatsTheLastFrameAfterASecondOfSilence) {
  delivery_.drained(start_);
  EXPECT_EQ(delivery_.repeat(start_ + 5s), nullptr) << "there is nothing to repeat yet";
  const auto first = frame();
  delivery_.offer(first, start_);
  EXPECT_EQ(delivery_.repeat(start_ + 5s), nullptr) << "it is not out yet";
  delivery_.drained(start_ + 1ms);
  EXPECT_EQ(delivery_.repeat(start_ + 999ms), nullptr);
  EXPECT_EQ(delivery_.repeat(start_ + 1s), first);
  EXPECT_EQ(delivery_.repeat_due(), start_ + 2s);
}

TEST_F(DeliveryTest, SendsNothingMoreOnceEnded) {
  delivery_.drained(start_);
  delivery_.offer(frame(), start_);
  delivery_.offer(frame(), start_);
  delivery_.end();
  EXPECT_TRUE(delivery_.busy()) << "what was handed over is still sent";
  EXPECT_EQ(delivery_.drained(start_), nullptr);
  EXPECT_EQ(delivery_.offer(frame(), start_), nullptr);
  EXPECT_EQ(delivery_.repeat(start_ + 5s), nullptr);
}

}  // namespace
