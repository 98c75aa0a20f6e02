// What FrameConsumer does from time to time, whether messages come or not. It looks after partitions whose broker is
// silent, has not the offset that is to be read, or is to tell where reading ends.
#include <algorithm>
#include <utility>

#include "common/failure.h"
#include "frame_consumer.h"

namespace gkv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kAnswer(2000);
constexpr milliseconds kPause(100);
constexpr seconds kSilence(5);  ///< after which a broker is asked whether it is there
constexpr seconds kSilenceInOutage(1);
constexpr seconds kReferenceAge(5);
constexpr seconds kShortReferenceAge(1);
constexpr seconds kPatienceWithGroup(10);  ///< that is being joined

std::optional<std::int64_t> at(const Offsets& offsets, const PartitionId& id) {
  const auto found = offsets.found.find(id);
  return found == offsets.found.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

void FrameConsumer::keep_house() {
  const auto now = Clock::now();
  const bool answered = (inspection_ && inspection_->given) || (topics_ && topics_->given);
  if (now - kept_house_at_ < kPause && !answered) return;
  kept_house_at_ = now;
  commit(false);
  publish_positions();
  if (topic_missed_->exchange(false)) {
    for (auto& [id, state] : partitions_) state.missed = true;
  }
  for (auto& [id, state] : partitions_) {
    const bool by_time = settings_.stop.kind == StopAt::Kind::kTime && unix_ms() >= settings_.stop.time_ms;
    state.ended = state.ended || (by_time && state.at_end);
  }
  look_for_new_partitions();
  if (in_group() && rebalances_ == 0 && now - subscribed_at_ >= kPatienceWithGroup) client_->saw_silence();
  inspect(now);
}

/// librdkafka's own positions can be asked for only while it is not closed.
void FrameConsumer::publish_positions() {
  auto progress = progress_.lock();
  progress->positions.clear();
  for (const auto& [id, state] : partitions_) progress->positions[id] = state.position;
}

bool FrameConsumer::lacks_end(const PartitionState& state) const {
  return settings_.stop.kind == StopAt::Kind::kEnd && !state.stops_at && !state.ended;
}

/// A reference is asked for when messages pause, and from time to time while they flow.
bool FrameConsumer::needs_reference(const PartitionState& state, Clock::time_point now) const {
  if (reads_latest() || state.timestamp_ms < 0 || state.heard_at <= state.referred_at) return false;
  const auto age = now - state.referred_at;
  return age >= kReferenceAge || (age >= kShortReferenceAge && now - state.heard_at >= kPause);
}

/// In an outage all partitions are asked about, so that it ends when all of them answer.
bool FrameConsumer::is_silent(const PartitionState& state, Clock::time_point now) const {
  if (client_->in_outage()) return now - state.asked_at >= kSilenceInOutage;
  return now - std::max(state.heard_at, state.asked_at) >= kSilence;
}

void FrameConsumer::inspect(Clock::time_point now) {
  const auto lacks = [this](const auto& entry) { return lacks_end(entry.second); };
  // Nothing is read before it is known where reading ends.
  if (inspection_ && std::any_of(partitions_.begin(), partitions_.end(), lacks)) wait_for(*inspection_);
  if (inspection_) {
    if (!inspection_->given) return;
    apply(std::exchange(inspection_, nullptr)->value);
  }
  // A broker that is silent would hold up the answer for what is to be mended.
  const bool urgent = std::any_of(partitions_.begin(), partitions_.end(), [&](const auto& entry) {
    return entry.second.refused_since || lacks_end(entry.second);
  });
  std::map<PartitionId, std::int64_t> low, high, again, newest;
  std::vector<PartitionId> unread;
  for (auto& [id, state] : partitions_) {
    const bool is_urgent = state.refused_since || lacks_end(state);
    const bool refers = needs_reference(state, now);
    if (state.ended || !(urgent ? is_urgent : refers || is_silent(state, now))) continue;
    state.asked_at = now;
    high[id] = kLogEnd;
    if (!is_urgent && !refers) continue;
    low[id] = kLogBegin;
    if (state.refused_since && state.position < 0) unread.push_back(id);
    if (state.reference) again[id] = state.reference->timestamp_ms;
    if (refers) {
      newest[id] = state.timestamp_ms;
      state.referred_at = now;
    }
  }
  if (high.empty()) return;
  inspection_ = ask([self = shared_from_this(), low, high, again, newest, unread](rd_kafka_t* handle) {
    Inspection inspection{.high = offsets_at(handle, high, kAnswer), .newest = newest};
    if (inspection.high.error == RD_KAFKA_RESP_ERR__TIMED_OUT) return inspection;
    inspection.low = offsets_at(handle, low, kAnswer);
    inspection.again = offsets_at(handle, again, kAnswer);
    inspection.references = offsets_at(handle, newest, kAnswer);
    if (!unread.empty()) inspection.first = self->first_offsets(handle, unread);
    return inspection;
  });
  if (std::any_of(partitions_.begin(), partitions_.end(), lacks)) {
    wait_for(*inspection_);
    if (inspection_->given) apply(std::exchange(inspection_, nullptr)->value);
  }
}

void FrameConsumer::apply(const Inspection& inspection) {
  const auto error = inspection.high.error;
  const bool all_answer = std::all_of(partitions_.begin(), partitions_.end(), [&](const auto& entry) {
    return entry.second.ended || inspection.high.found.contains(entry.first);
  });
  if (error == RD_KAFKA_RESP_ERR__TIMED_OUT) {
    client_->saw_silence();
  } else if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION) {
    client_->saw_error(error, "a broker was asked for the end of a partition");
  } else if (error == RD_KAFKA_RESP_ERR_NO_ERROR && all_answer) {
    client_->saw_success();
  }
  for (const auto& [id, low] : inspection.low.found) {
    const auto high = at(inspection.high, id);
    const auto found = partitions_.find(id);
    if (!high || found == partitions_.end()) continue;
    PartitionState& state = found->second;
    const LogFacts log{.low = low, .high = *high, .is_other = is_other_log(state.reference, at(inspection.again, id))};
    if (state.refused_since && state.position < 0) {
      restart_at_first_offset(id, state, inspection.first);
    } else if (state.refused_since) {
      repair_position(id, state, log);
    } else if (log.is_other) {
      go_on_in_other_log(id, state, reads_latest() ? log.high : log.low);
    } else if (const auto reference = at(inspection.references, id); reference && *reference >= 0) {
      state.reference = {.timestamp_ms = inspection.newest.at(id), .offset = *reference};
    }
    if (settings_.stop.kind == StopAt::Kind::kEnd) find_end(state, log);
  }
}

void FrameConsumer::find_end(PartitionState& state, const LogFacts& log) {
  if (!state.stops_at) state.stops_at = log.high;
  if (log.low == *state.stops_at || state.position >= *state.stops_at) state.ended = true;
}

void FrameConsumer::repair_position(const PartitionId& id, PartitionState& state, const LogFacts& log) {
  const Repair found = repair(state.position, log, Clock::now() - *state.refused_since, reads_latest());
  const std::string where = "partition " + std::to_string(id.second) + " of the topic \"" + id.first + "\"";
  const std::string at = "at offset " + std::to_string(state.position) + ", the log has " + std::to_string(log.low) +
                         " to " + std::to_string(log.high);
  switch (found.kind) {
    case Repair::Kind::kReadOn:
    case Repair::Kind::kWait: break;
    case Repair::Kind::kRetention:
      lost_ += static_cast<std::uint64_t>(found.lost);
      if (lost_complaint_.count_one()) {
        events_.warning(Failure(std::to_string(found.lost) + " messages of " + where +
                                    " were deleted before they were read; read faster, or raise retention.ms or "
                                    "retention.bytes of the topic.",
                                at));
      }
      break;
    case Repair::Kind::kOtherLog: go_on_in_other_log(id, state, found.offset); return;
  }
  if (found.kind != Repair::Kind::kWait) state.refused_since.reset();
  if (found.offset != state.position) newest_.break_chains();
  restart(id, state, found.offset);
}

/// Finds out whether a message that came after a silence is of the log that was read before it: where a topic was
/// deleted and made anew in the meantime, librdkafka goes on in the new log at the old offset. What else is in doubt is
/// asked at the same time.
bool FrameConsumer::is_same_log(const PartitionId& id, Clock::time_point now) {
  std::map<PartitionId, LogReference> references;
  std::map<PartitionId, std::int64_t> again, newest, low;
  for (auto& [other, state] : partitions_) {
    const bool was_silent = now - std::max(state.heard_at, state.checked_at) > kDoubtfulSilence;
    if (other != id && !was_silent && !state.missed) continue;
    state.checked_at = now;
    if (state.reference) {
      references[other] = *state.reference;
      again[other] = state.reference->timestamp_ms;
    }
    if (std::exchange(state.missed, false) && state.timestamp_ms >= 0) newest[other] = state.timestamp_ms;
    if (again.contains(other) || newest.contains(other)) low[other] = kLogBegin;
  }
  if (low.empty()) return true;
  struct Found {
    Offsets again, newest, low;
  };
  const auto answer = ask_and_wait([references, again, newest, low](rd_kafka_t* handle) {
    Found found{.again = offsets_at(handle, again, kAnswer), .newest = offsets_at(handle, newest, kAnswer)};
    const bool came_down = std::any_of(references.begin(), references.end(), [&](const auto& reference) {
      return is_other_log(reference.second, at(found.again, reference.first));
    });
    if (came_down || !newest.empty()) found.low = offsets_at(handle, low, kAnswer);
    return found;
  });
  bool is_same = true;
  for (const auto& [other, begin] : answer ? answer->low.found : std::map<PartitionId, std::int64_t>()) {
    PartitionState& state = partitions_.at(other);
    // Where the topic was gone, a log whose first message is not older than the last one read is taken for a new one.
    const bool begins_later = at(answer->newest, other) == begin && begin + 1 < state.position;
    if (!begins_later && !is_other_log(state.reference, at(answer->again, other))) continue;
    go_on_in_other_log(other, state, begin);
    is_same = is_same && other != id;
  }
  return is_same;
}

void FrameConsumer::go_on_in_other_log(const PartitionId& id, PartitionState& state, std::int64_t offset) {
  events_.warning(Failure("The log of partition " + std::to_string(id.second) + " of the topic \"" + id.first +
                              "\" was cut or made anew: it has not what was read already; " +
                              (reads_latest() ? "reading goes on at its end." : "reading goes on at its beginning."),
                          "at offset " + std::to_string(state.position)));
  state.acknowledged = state.committed = -1;
  state.timestamp_ms = -1;
  state.reference.reset();
  state.refused_since.reset();
  inspection_.reset();  // it may have been asked of the log before
  newest_.clear();
  restart(id, state, offset);
}

/// What a group had committed is gone, or it has committed nothing.
void FrameConsumer::restart_at_first_offset(const PartitionId& id, PartitionState& state, const Offsets& first) {
  const auto offset = is_new(id) ? std::optional<std::int64_t>(RD_KAFKA_OFFSET_BEGINNING) : at(first, id);
  if (!offset) return;  // asked again
  state.refused_since.reset();
  restart(id, state, *offset);
}

/// A partition whose offset was refused is not fetched any more, and cannot be sought in: it is assigned anew.
void FrameConsumer::restart(const PartitionId& id, PartitionState& state, std::int64_t offset) {
  rd_kafka_t* handle = client_->handle();
  state.start = offset;
  if (state.position >= 0) state.position = offset;
  const kafka::Partitions list(rd_kafka_topic_partition_list_new(1));
  if (std::string(rd_kafka_rebalance_protocol(handle)) == "EAGER") {
    for (const auto& [other, known] : partitions_) {
      rd_kafka_topic_partition_list_add(list.get(), other.first.c_str(), other.second)->offset =
          known.position >= 0 ? known.position : known.start;
    }
    rd_kafka_assign(handle, list.get());
    return;
  }
  rd_kafka_topic_partition_list_add(list.get(), id.first.c_str(), id.second)->offset = offset;
  const kafka::Error gone(rd_kafka_incremental_unassign(handle, list.get()));
  const kafka::Error back(rd_kafka_incremental_assign(handle, list.get()));
  if (back) client_->saw_error(rd_kafka_error_code(back.get()), rd_kafka_error_string(back.get()));
}

void FrameConsumer::seek(const std::map<PartitionId, std::int64_t>& offsets) {
  if (offsets.empty()) return;
  const kafka::Partitions list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const auto& [id, offset] : offsets) {
    rd_kafka_topic_partition_list_add(list.get(), id.first.c_str(), id.second)->offset = offset;
  }
  const kafka::Error error(rd_kafka_seek_partitions(client_->handle(), list.get(), 0));  // does not wait
}

}  // namespace gkv
