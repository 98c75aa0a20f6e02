#include "audience.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace gkv {

void Audience::add(std::unique_ptr<Viewer> viewer) {
  auto& viewers = of_source_[viewer->source()];
  viewers.push_back(std::move(viewer));
  ++size_;
}

void Audience::remove(Viewer& viewer) {
  const auto found = of_source_.find(viewer.source());
  if (found == of_source_.end()) return;
  size_ -= std::erase_if(found->second, [&](const auto& other) { return other.get() == &viewer; });
  if (found->second.empty()) of_source_.erase(found);
}

void Audience::offer(const std::string& source, const FramePtr& frame) {
  const auto found = of_source_.find(source);
  if (found == of_source_.end()) return;
  for (const auto& viewer : found->second) viewer->offer(frame);
}

void Audience::bind_unbound(const std::string& source) {
  auto unbound = of_source_.extract(std::string());
  if (unbound.empty()) return;
  auto& viewers = of_source_[source];
  for (auto& viewer : unbound.mapped()) {
    viewer->bind(source);
    viewers.push_back(std::move(viewer));
  }
}

std::optional<Delivery::Clock::time_point> Audience::repeat(Delivery::Clock::time_point now) {
  std::optional<Delivery::Clock::time_point> next;
  for (const auto& [source, viewers] : of_source_) {
    for (const auto& viewer : viewers) {
      viewer->repeat(now);
      // Who has nothing to repeat yet, or is still busy, is due already: asked again soon, but not in a busy loop.
      const auto due = std::max(viewer->repeat_due(), now + Delivery::kRepeatAfter / 4);
      next = next ? std::min(*next, due) : due;
    }
  }
  return next;
}

void Audience::end() {
  for (const auto& [source, viewers] : of_source_) {
    for (const auto& viewer : viewers) viewer->end();
  }
}

std::size_t Audience::size(const std::string& source) const {
  const auto found = of_source_.find(source);
  return found == of_source_.end() ? 0 : found->second.size();
}

}  // namespace gkv
