#include "outage.h"

#include <algorithm>
#include <utility>

namespace gkv {

Outage::Report Outage::failed(Trouble trouble) {
  const bool first = failures_++ == 0;
  const bool unseen = seen_.insert(trouble).second;
  if (first) return Report::kWarning;
  return unseen ? Report::kNote : Report::kNothing;
}

unsigned Outage::answered() {
  seen_.clear();
  return std::exchange(failures_, 0);
}

std::chrono::milliseconds Outage::delay() const {
  const unsigned doublings = std::min(failures_ > 0 ? failures_ - 1 : 0, 10U);
  return std::min(kMinDelay * (1U << doublings), kMaxDelay);
}

}  // namespace gkv
