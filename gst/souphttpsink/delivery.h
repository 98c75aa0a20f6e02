#pragma once

#include <chrono>

#include "sources.h"

namespace gkv {

/// Which frame one viewer is sent, and when: the newest one, as soon as all of the frame before it is out, and that
/// again when no other has come for a second. A slow viewer thus gets fewer frames, each whole and each new.
///
/// Each call that returns a frame hands it over for sending; drained() says that it has been sent.
class Delivery {
 public:
  using Clock = std::chrono::steady_clock;

  /// A picture repeated after this time keeps browsers that hold one back up to date, and lets a write find out
  /// that nobody reads any more.
  static constexpr std::chrono::milliseconds kRepeatAfter{1000};

  /// The newest frame there is; the last one handed over is ignored. @return the frame to send now, or null
  FramePtr offer(FramePtr frame, Clock::time_point now);

  /// All that was handed over is out. @return the frame to send now, or null
  FramePtr drained(Clock::time_point now);

  /// @return the last frame once more when it is due, or null
  FramePtr repeat(Clock::time_point now);

  /// No more frames; what has been handed over is still sent.
  void end() { ended_ = true; }

  bool busy() const { return busy_; }
  bool ended() const { return ended_; }

  /// When repeat() may next have something to send.
  Clock::time_point repeat_due() const { return handed_over_ + kRepeatAfter; }

 private:
  FramePtr hand_over(FramePtr frame, Clock::time_point now);

  bool busy_ = true;  ///< the stream's opening line comes first
  bool ended_ = false;
  FramePtr waiting_;  ///< newer than the last, while busy
  FramePtr last_;
  Clock::time_point handed_over_ = Clock::now();
};

}  // namespace gkv
