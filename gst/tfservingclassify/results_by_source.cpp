#include "results_by_source.h"

namespace gkv {

ResultsBySource::ResultsBySource(std::vector<Classification> nothing_yet, std::size_t max_sources)
    : nothing_yet_(std::make_shared<const std::vector<Classification>>(std::move(nothing_yet))),
      max_sources_(max_sources) {}

Results ResultsBySource::seen(const std::string& source) {
  if (const auto found = places_.find(source); found != places_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
  } else {
    recent_.emplace_front(source, nothing_yet_);
    places_.emplace(source, recent_.begin());
  }
  return recent_.front().second;
}

std::optional<std::string> ResultsBySource::evict() {
  if (recent_.size() <= max_sources_) return std::nullopt;
  std::string source = std::move(recent_.back().first);
  places_.erase(source);
  recent_.pop_back();
  return source;
}

void ResultsBySource::set(const std::string& source, std::size_t model, Classification result) {
  const auto found = places_.find(source);
  if (found == places_.end()) return;
  auto changed = std::make_shared<std::vector<Classification>>(*found->second->second);
  changed->at(model) = std::move(result);
  found->second->second = std::move(changed);
}

void ResultsBySource::clear() {
  recent_.clear();
  places_.clear();
}

}  // namespace gkv
