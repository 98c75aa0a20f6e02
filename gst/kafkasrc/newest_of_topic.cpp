// How FrameConsumer finds the newest frame of each source (ReadMode::kLatestOffset).
#include <algorithm>
#include <utility>

#include "frame_consumer.h"

namespace gkv {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDrainLimit(20);  ///< where the fetcher brings old messages faster than they are looked at
constexpr milliseconds kLongPause(200);  ///< downstream took so long that librdkafka's own queue may be stale
constexpr milliseconds kAnswer(500);
constexpr milliseconds kCatchUpPoll(20);
constexpr milliseconds kCatchUpLimit(300);
constexpr milliseconds kIdle(1000);
constexpr std::int64_t kFew = 5;        ///< messages behind the end that are nothing to be worried about
constexpr std::int64_t kBacklog = 500;  ///< messages that are looked through rather than passed over
constexpr milliseconds kComparePause(100);
constexpr milliseconds kPatienceBehind(300);
constexpr milliseconds kCatchUpPause(1000);

}  // namespace

FrameConsumer::Outcome FrameConsumer::next_newest(std::optional<ReceivedFrame>& frame) {
  if (returned_at_ && Clock::now() - *returned_at_ > kLongPause) catch_up();
  while (goes_on()) {
    keep_house();
    if (!drain()) catch_up();
    if (falls_behind()) pass_over_old(kFew);
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
    if (!polled_any_) return true;
    if (frame) put(std::move(*frame));
    if (Clock::now() >= deadline) return false;
  }
  return true;
}

void FrameConsumer::put(ReceivedFrame frame) {
  PartitionState& state = partitions_.at({frame.topic(), frame.partition()});
  const bool delta = frame.is_delta_unit();
  const std::string_view key = frame.source();
  const std::string source =
      key.empty() ? std::string(frame.topic()) + "-" + std::to_string(frame.partition()) : std::string(key);
  if (!state.only_source) state.only_source = source;
  state.needs_all = state.needs_all || delta || *state.only_source != source;
  if (!hold(frame)) frame.detach();
  skipped_ += newest_.put(source, std::move(frame), delta);
}

/// Where the network is slower than the topic, nothing is left to drain and the end is yet far away.
bool FrameConsumer::falls_behind() {
  const auto now = Clock::now();
  if (now - compared_at_ < kComparePause) return false;
  compared_at_ = now;
  const bool behind = std::any_of(partitions_.begin(), partitions_.end(), [&](const auto& entry) {
    const auto& [id, state] = entry;
    std::int64_t low = 0;
    std::int64_t high = 0;  // as of the last fetch
    rd_kafka_get_watermark_offsets(client_->handle(), id.first.c_str(), id.second, &low, &high);
    return state.position >= 0 && high - state.position > kFew;
  });
  if (!behind) {
    behind_since_.reset();
    return false;
  }
  if (!behind_since_) behind_since_ = now;
  return now - *behind_since_ > kPatienceBehind && now - caught_up_at_ > kCatchUpPause;
}

/// Asks for the topic's end, and passes over what lies further back than is needed.
///
/// The last message is enough where a partition has one source whose frames stand by themselves. Where it has several,
/// the last one would starve all but the last writer: then messages of the last max-age are read.
///
/// @param few  so many messages of several sources are not passed over
void FrameConsumer::pass_over_old(std::int64_t few) {
  caught_up_at_ = Clock::now();
  std::map<PartitionId, std::int64_t> ends, recent;
  for (const auto& [id, state] : partitions_) {
    // A broker that is away would hold up the answer for all.
    const bool is_away = client_->in_outage() && state.asked_at > state.heard_at;
    if (state.position < 0 || state.refused_since || is_away) continue;
    ends[id] = kLogEnd;
    if (state.needs_all) recent[id] = unix_ms() - settings_.max_age.count();
  }
  struct Found {
    Offsets ends, recent;
  };
  const auto answer = ask_and_wait([ends, recent](rd_kafka_t* handle) {
    Found found{.ends = offsets_at(handle, ends, kAnswer)};
    if (found.ends.error == RD_KAFKA_RESP_ERR_NO_ERROR) found.recent = offsets_at(handle, recent, kAnswer);
    return found;
  });
  if (!answer) return;
  std::map<PartitionId, std::int64_t> targets;
  for (const auto& [id, high] : answer->ends.found) {
    PartitionState& state = partitions_.at(id);
    state.high = high;
    const auto from = answer->recent.found.find(id);
    if (!state.needs_all) {
      targets[id] = high - 1;
    } else if (from != answer->recent.found.end() && high - state.position > few) {
      targets[id] = from->second < 0 ? high - 1 : from->second;
    }
  }
  pass_over(targets);
}

/// After a pause, librdkafka's own queue is full of old messages and its fetcher asleep; asking for the topic's end
/// wakes it. What is not passed over is read up to that end.
void FrameConsumer::catch_up() {
  drain();
  pass_over_old(kBacklog);
  const auto deadline = Clock::now() + kCatchUpLimit;
  int silent = 0;  // polls: some offsets belong to no message
  while (is_behind() && goes_on() && silent < 3 && Clock::now() < deadline) {
    if (auto frame = poll(kCatchUpPoll)) put(std::move(*frame));
    silent = polled_any_ ? 0 : silent + 1;
    if (!polled_any_) wake_fetchers();
  }
}

void FrameConsumer::pass_over(const std::map<PartitionId, std::int64_t>& targets) {
  std::map<PartitionId, std::int64_t> sought;
  for (const auto& [id, target] : targets) {
    PartitionState& state = partitions_.at(id);
    if (target <= state.position) continue;
    if (state.needs_all) newest_.break_chains();
    skipped_ += static_cast<std::uint64_t>(target - state.position);
    state.position = target;
    sought[id] = target;
  }
  seek(sought);
}

bool FrameConsumer::is_behind() const {
  return std::any_of(partitions_.begin(), partitions_.end(),
                     [&](const auto& entry) { return entry.second.position < entry.second.high; });
}

}  // namespace gkv
