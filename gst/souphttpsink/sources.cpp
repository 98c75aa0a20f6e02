#include "sources.h"

#include <algorithm>
#include <utility>

#include "stream_format.h"

namespace gkv {

FramePtr make_frame(BytesPtr jpeg, std::optional<std::uint64_t> capture_time_ns) {
  auto headers = make_bytes(part_headers(g_bytes_get_size(jpeg.get()), capture_time_ns));
  return std::make_shared<const Frame>(Frame{std::move(jpeg), std::move(headers), capture_time_ns});
}

void Sources::publish(const std::string& source, FramePtr frame, Clock::time_point now) {
  // Freed after the lock, as is what `frame` becomes: that runs the code of whoever owns the picture's memory.
  FramePtr forgotten;
  auto state = state_.lock();
  auto found = state->entries.find(source);
  if (found == state->entries.end()) {
    if (state->entries.size() >= limit_) forgotten = forget_most_silent(*state);
    found = state->entries.try_emplace(source).first;
    found->second.order = state->arrivals++;
  }
  auto& entry = found->second;
  std::swap(entry.newest, frame);
  ++entry.frames;
  entry.published = now;
  state->changed.insert(source);
}

FramePtr Sources::forget_most_silent(State& state) {
  const auto found = std::min_element(state.entries.begin(), state.entries.end(), [](const auto& a, const auto& b) {
    return a.second.published < b.second.published;
  });
  state.changed.erase(found->first);
  auto newest = std::move(found->second.newest);
  state.entries.erase(found);
  return newest;
}

FramePtr Sources::newest(const std::string& source) {
  auto state = state_.lock();
  const auto found = state->entries.find(source);
  return found == state->entries.end() ? nullptr : found->second.newest;
}

std::optional<std::string> Sources::first() {
  auto state = state_.lock();
  const auto found = std::min_element(state->entries.begin(), state->entries.end(),
                                      [](const auto& a, const auto& b) { return a.second.order < b.second.order; });
  return found == state->entries.end() ? std::nullopt : std::optional(found->first);
}

std::set<std::string> Sources::take_changed() { return std::exchange(state_.lock()->changed, {}); }

std::vector<SourceStatus> Sources::status(Clock::time_point now) {
  auto state = state_.lock();
  std::vector<SourceStatus> all;
  for (const auto& [id, entry] : state->entries) {
    all.push_back({id, entry.frames, std::chrono::duration_cast<std::chrono::milliseconds>(now - entry.published)});
  }
  return all;
}

}  // namespace gkv
