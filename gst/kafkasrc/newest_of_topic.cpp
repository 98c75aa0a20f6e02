// How FrameConsumer finds the newest frame of each source (ReadMode::kLatestOffset).
#include <algorithm>
#include <utility>

#include "frame_consumer.h"

namespace gkv {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDrainLimit(20);  ///< where the fetcher brings old messages faster than they are looked at
constexpr milliseconds kLongPause(200);  ///< downstream took so long that librdkafka's own queue may be stale
constexpr milliseconds kQuery(40);
constexpr milliseconds kCatchUpPoll(20);
constexpr milliseconds kCatchUpLimit(300);
constexpr milliseconds kIdle(1000);
constexpr std::int64_t kBacklog = 500;  ///< messages that are looked through; what is older is passed over

std::int64_t unix_ms() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

FrameConsumer::Outcome FrameConsumer::next_newest(std::optional<ReceivedFrame>& frame) {
  if (returned_at_ && Clock::now() - *returned_at_ > kLongPause) catch_up();
  while (goes_on()) {
    keep_house();
    if (!drain()) catch_up();
    if ((frame = newest_.take())) {
      returned_at_ = Clock::now();
      return Outcome::kFrame;
    }
    if (has_ended()) return Outcome::kEnd;
    if (auto one = poll(std::min(patience(), kIdle))) put(std::move(*one));
  }
  return Outcome::kFlushing;
}

/// Looks through what librdkafka has fetched. @return false when it brings more than can be looked at
bool FrameConsumer::drain() {
  const auto deadline = Clock::now() + kDrainLimit;
  while (goes_on()) {
    auto frame = poll(milliseconds(0));
    if (!frame) return true;
    put(std::move(*frame));
    if (Clock::now() >= deadline) return false;
  }
  return true;
}

void FrameConsumer::put(ReceivedFrame frame) {
  PartitionState& state = state_of(frame.message());
  const bool delta = frame.is_delta_unit();
  const std::string_view key = frame.source();
  const std::string source = key.empty() ? "partition " + std::to_string(frame.message().partition) : std::string(key);
  if (!state.only_source) state.only_source = source;
  state.needs_all = state.needs_all || delta || *state.only_source != source;
  skipped_ += newest_.put(source, std::move(frame), delta);
}

/// After a pause, librdkafka's own queue is full of old messages and its fetcher asleep; asking for the topic's end
/// wakes it. What lies further back than is needed is passed over, the rest is read up to the end that was asked for.
void FrameConsumer::catch_up() {
  drain();
  for (auto& [id, state] : partitions_) {
    if (state.position < 0) continue;
    if (flushing_) return;
    const auto marks = watermarks(client_->handle(), id.first, id.second, kQuery);
    if (!marks) return;
    state.high = marks->high;
    pass_over(id, state, marks->high);
  }
  const auto deadline = Clock::now() + kCatchUpLimit;
  while (is_behind() && goes_on() && Clock::now() < deadline) {
    if (auto frame = poll(kCatchUpPoll)) put(std::move(*frame));
  }
}

/// The last message is enough where a partition has one source whose frames stand by themselves. Where it has several,
/// the last one would starve all but the last writer: then messages of the last max-age are read, which is a question
/// to the broker and only worth it where they are many.
void FrameConsumer::pass_over(const PartitionId& id, PartitionState& state, std::int64_t high) {
  std::int64_t target = high - 1;
  if (state.needs_all) {
    if (high - state.position <= kBacklog) return;
    const auto recent =
        offset_at(client_->handle(), id.first, id.second, unix_ms() - settings_.max_age.count(), kQuery);
    if (!recent) return;
    target = *recent < 0 ? high - 1 : *recent;
    if (target > state.position) newest_.break_chains();
  }
  if (target <= state.position) return;
  skipped_ += static_cast<std::uint64_t>(target - state.position);
  state.position = target;
  seek(id, target);
}

bool FrameConsumer::is_behind() const {
  return std::any_of(partitions_.begin(), partitions_.end(),
                     [&](const auto& entry) { return entry.second.position < entry.second.high; });
}

}  // namespace gkv
