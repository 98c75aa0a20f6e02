#include "outage.h"

#include <algorithm>
#include <utility>

namespace gkv {

Outage::Report Outage::failed(Trouble trouble, Clock::time_point now) {
  ++failures_;
  const bool unseen = seen_.insert(trouble).second;
  if (told_) return unseen ? Report::kNote : Report::kNothing;
  const auto last = warned_.find(trouble);
  if (last != warned_.end() && now - last->second < kWarningInterval) return Report::kNothing;
  warned_[trouble] = now;
  told_ = true;
  return Report::kWarning;
}

unsigned Outage::answered() {
  seen_.clear();
  const unsigned failures = std::exchange(failures_, 0);
  return std::exchange(told_, false) ? failures : 0;
}

std::chrono::milliseconds Outage::delay() const {
  const unsigned doublings = std::min(failures_ > 0 ? failures_ - 1 : 0, 10U);
  return std::min(kMinDelay * (1U << doublings), kMaxDelay);
}

}  // namespace gkv
