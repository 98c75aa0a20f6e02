// Which partitions FrameConsumer reads, and from where.
#include <algorithm>
#include <utility>

#include "common/failure.h"
#include "frame_consumer.h"

namespace gkv {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAnswer(2000);
constexpr int kPauseMs = 100;

}  // namespace

void FrameConsumer::connect() {
  std::vector<kafka::TopicSize> found;
  bool ready = client_->wait_for_topics(settings_.topics, settings_.connect_timeout, *stop_, found) ==
               kafka::Client::Readiness::kReady;
  kafka::Partitions assignment;
  if (ready && !in_group()) {
    assignment = assignment_of(found);
    ready = assignment != nullptr;
  }
  {
    auto progress = progress_.lock();
    progress->phase = ready ? Phase::kConnected : Phase::kFailed;
    progress->assignment = std::move(assignment);
    for (const kafka::TopicSize& topic : found) progress->partitions[topic.topic] = topic.partitions;
  }
  progressed_.notify_all();
}

/// @return the partitions to be read and where they begin; null when stopped or failed
kafka::Partitions FrameConsumer::assignment_of(const std::vector<kafka::TopicSize>& found) {
  std::vector<PartitionId> ids;
  for (const kafka::TopicSize& topic : found) {
    std::vector<int> wanted = settings_.partitions;
    for (int partition = 0; settings_.partitions.empty() && partition < topic.partitions; ++partition) {
      wanted.push_back(partition);
    }
    for (const int partition : wanted) {
      if (partition >= topic.partitions) {
        client_->fail(Failure("The topic \"" + topic.topic + "\" has no partition " + std::to_string(partition) +
                              "; its partitions are 0 to " + std::to_string(topic.partitions - 1) +
                              ": correct the property partitions."));
        return nullptr;
      }
      ids.emplace_back(topic.topic, partition);
    }
  }
  while (!*stop_ && !client_->failed()) {
    const Offsets first = first_offsets(client_->handle(), ids);
    if (first.error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      kafka::Partitions list(rd_kafka_topic_partition_list_new(static_cast<int>(ids.size())));
      for (const auto& [id, offset] : first.found) {
        rd_kafka_topic_partition_list_add(list.get(), id.first.c_str(), id.second)->offset = offset;
      }
      return list;
    }
    if (!*stop_) client_->saw_error(first.error, "asked where to begin");
    rd_kafka_poll(client_->handle(), kPauseMs);
  }
  return nullptr;
}

/// Partitions and topics that came since are read from their beginning: they came while we were reading.
bool FrameConsumer::is_new(const PartitionId& id) {
  const auto progress = progress_.lock();
  const auto known = progress->partitions.find(id.first);
  return known == progress->partitions.end() || id.second >= known->second;
}

/// Where partitions are read first. Asks a broker for times and numbers only.
Offsets FrameConsumer::first_offsets(rd_kafka_t* handle, const std::vector<PartitionId>& ids) const {
  const StartOffset& start = settings_.start;
  const auto all = [&](std::int64_t value) {
    std::map<PartitionId, std::int64_t> values;
    for (const PartitionId& id : ids) values[id] = value;
    return values;
  };
  switch (start.kind) {
    case StartOffset::Kind::kLatest: return {.found = all(RD_KAFKA_OFFSET_END)};
    case StartOffset::Kind::kEarliest:
    case StartOffset::Kind::kCommitted: return {.found = all(RD_KAFKA_OFFSET_BEGINNING)};
    case StartOffset::Kind::kTimestamp: return offsets_at(handle, all(start.time_ms), kAnswer);
    case StartOffset::Kind::kNumber: {
      Offsets low = offsets_at(handle, all(kLogBegin), kAnswer);
      if (low.error != RD_KAFKA_RESP_ERR_NO_ERROR) return low;
      Offsets high = offsets_at(handle, all(kLogEnd), kAnswer);
      // An offset relative to the end, as librdkafka has it, can find itself out of range for ever.
      for (auto& [id, end] : high.found) {
        const std::int64_t wanted = start.number < 0 ? end + start.number : start.number;
        end = std::clamp(wanted, low.found[id], std::max(low.found[id], end));
      }
      return high;
    }
    case StartOffset::Kind::kAuto: break;
  }
  return {.found = all(in_group() && !reads_latest() ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END)};
}

void FrameConsumer::begin_reading(kafka::Partitions assignment) {
  rd_kafka_poll_set_consumer(client_->handle());
  looked_at_ = subscribed_at_ = Clock::now();
  auto error = RD_KAFKA_RESP_ERR_NO_ERROR;
  if (in_group()) {
    const kafka::Partitions list(rd_kafka_topic_partition_list_new(1));
    for (const std::string& topic : settings_.topics) {
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    }
    error = rd_kafka_subscribe(client_->handle(), list.get());
  } else {
    for (int i = 0; i < assignment->cnt; ++i) {
      const auto& entry = assignment->elems[i];
      partitions_[{entry.topic, entry.partition}] = {.start = entry.offset};
    }
    partition_count_ = partitions_.size();
    error = rd_kafka_assign(client_->handle(), assignment.get());
  }
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) client_->fail(error, {});
}

void FrameConsumer::look_for_new_partitions() {
  if (in_group() || !settings_.partitions.empty() || look_interval_.count() <= 0) return;
  if (!topics_) {
    const auto now = Clock::now();
    if (now - looked_at_ < look_interval_) return;
    looked_at_ = now;
    topics_ = ask([client = client_, topics = settings_.topics](rd_kafka_t*) {
      std::vector<kafka::TopicSize> found;
      client->look_for_topics(topics, kAnswer, found);
      return found;
    });
  }
  if (!topics_->given) return;
  const auto found = std::exchange(topics_, nullptr);
  const kafka::Partitions added(rd_kafka_topic_partition_list_new(1));
  for (const kafka::TopicSize& topic : found->value) {
    for (int partition = 0; partition < topic.partitions; ++partition) {
      const PartitionId id(topic.topic, partition);
      if (!partitions_.try_emplace(id, PartitionState{.start = RD_KAFKA_OFFSET_BEGINNING}).second) continue;
      rd_kafka_topic_partition_list_add(added.get(), topic.topic.c_str(), partition)->offset =
          RD_KAFKA_OFFSET_BEGINNING;
    }
  }
  if (added->cnt == 0) return;
  partition_count_ = partitions_.size();
  const kafka::Error error(rd_kafka_incremental_assign(client_->handle(), added.get()));
  if (error) client_->saw_error(rd_kafka_error_code(error.get()), rd_kafka_error_string(error.get()));
}

void FrameConsumer::on_rebalance(rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t* partitions) {
  rd_kafka_t* handle = client_->handle();
  const bool assigned = event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  ++rebalances_;
  if (!assigned && !rd_kafka_assignment_lost(handle)) commit(true);  // whoever gets the partitions goes on from there
  last_state_ = nullptr;
  for (int i = 0; i < partitions->cnt; ++i) {
    partitions_.erase({partitions->elems[i].topic, partitions->elems[i].partition});
  }
  if (assigned) {
    client_->saw_success();
    on_assigned(partitions);
  }
  partition_count_ = std::max<std::size_t>(1, partitions_.size());
  if (std::string(rd_kafka_rebalance_protocol(handle)) == "COOPERATIVE") {
    const kafka::Error error(assigned ? rd_kafka_incremental_assign(handle, partitions)
                                      : rd_kafka_incremental_unassign(handle, partitions));
    if (error) client_->saw_error(rd_kafka_error_code(error.get()), rd_kafka_error_string(error.get()));
  } else {
    const auto error = rd_kafka_assign(handle, assigned ? partitions : nullptr);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) client_->saw_error(error, {});
  }
}

/// Says where the partitions are read from.
void FrameConsumer::on_assigned(rd_kafka_topic_partition_list_t* partitions) {
  std::vector<PartitionId> ids;
  ids.reserve(static_cast<std::size_t>(partitions->cnt));
  for (int i = 0; i < partitions->cnt; ++i)
    ids.emplace_back(partitions->elems[i].topic, partitions->elems[i].partition);
  std::map<PartitionId, std::int64_t> first;
  const auto kind = settings_.start.kind;
  const bool goes_on = !reads_latest() || kind == StartOffset::Kind::kCommitted;
  const bool asks = kind == StartOffset::Kind::kTimestamp || kind == StartOffset::Kind::kNumber;
  if (!goes_on && !asks) first = first_offsets(client_->handle(), ids).found;
  if (!goes_on && asks) {
    const auto answer =
        ask_and_wait([self = shared_from_this(), ids](rd_kafka_t* handle) { return self->first_offsets(handle, ids); });
    if (answer) first = answer->found;
  }
  for (int i = 0; i < partitions->cnt; ++i) {
    auto& entry = partitions->elems[i];
    const PartitionId& id = ids[static_cast<std::size_t>(i)];
    const auto found = first.find(id);
    // Without an answer librdkafka refuses to read, and it is asked again.
    entry.offset = goes_on ? RD_KAFKA_OFFSET_STORED : found == first.end() ? RD_KAFKA_OFFSET_INVALID : found->second;
    partitions_[id] = {.start = entry.offset};
  }
}

}  // namespace gkv
