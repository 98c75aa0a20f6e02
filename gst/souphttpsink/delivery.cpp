#include "delivery.h"

#include <utility>

namespace gkv {

FramePtr Delivery::offer(FramePtr frame, Clock::time_point now) {
  if (ended_ || frame == last_) return nullptr;
  if (busy_) {
    waiting_ = std::move(frame);
    return nullptr;
  }
  return hand_over(std::move(frame), now);
}

FramePtr Delivery::drained(Clock::time_point now) {
  busy_ = false;
  auto waiting = std::exchange(waiting_, nullptr);
  return ended_ || !waiting ? nullptr : hand_over(std::move(waiting), now);
}

FramePtr Delivery::repeat(Clock::time_point now) {
  if (ended_ || busy_ || !last_ || now < repeat_due()) return nullptr;
  return hand_over(last_, now);
}

FramePtr Delivery::hand_over(FramePtr frame, Clock::time_point now) {
  busy_ = true;
  handed_over_ = now;
  last_ = frame;
  return frame;
}

}  // namespace gkv
