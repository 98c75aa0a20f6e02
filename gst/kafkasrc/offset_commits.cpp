// How FrameConsumer commits what has been dealt with.
#include <algorithm>

#include "frame_consumer.h"

namespace gkv {
namespace {

constexpr int kCommitTimeoutMs = 300;

}  // namespace

void FrameConsumer::acknowledge() {
  if (!returned_) return;
  if (const auto found = partitions_.find(*returned_); in_group() && found != partitions_.end()) {
    // In ReadMode::kLatestOffset sources take turns, and offsets may go back.
    found->second.acknowledged = std::max(found->second.acknowledged, returned_offset_ + 1);
  }
  returned_.reset();
  if (settings_.commit == Commit::kPushed) commit(false);
}

/// Does not wait, but for a moment at the end.
void FrameConsumer::commit(bool at_end) {
  if (!in_group() || settings_.commit == Commit::kNone) return;
  const auto now = Clock::now();
  const bool due = settings_.commit == Commit::kPushed || now - committed_at_ >= settings_.commit_interval;
  if (!at_end && !due) return;
  const kafka::Partitions list(rd_kafka_topic_partition_list_new(1));
  for (auto& [id, state] : partitions_) {
    if (state.acknowledged <= state.committed) continue;
    state.committed = state.acknowledged;
    rd_kafka_topic_partition_list_add(list.get(), id.first.c_str(), id.second)->offset = state.acknowledged;
  }
  if (list->cnt == 0) return;
  committed_at_ = now;
  if (!at_end) {
    rd_kafka_commit(client_->handle(), list.get(), 1);
    return;
  }
  const kafka::Queue answer(rd_kafka_queue_new(client_->handle()));
  if (rd_kafka_commit_queue(client_->handle(), list.get(), answer.get(), nullptr, nullptr) ==
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (rd_kafka_event_t* event = rd_kafka_queue_poll(answer.get(), kCommitTimeoutMs)) rd_kafka_event_destroy(event);
  }
}

/// What a broker did not take is committed again. That the group has changed hands is no fault.
void FrameConsumer::on_commit(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t* partitions) {
  if (error == RD_KAFKA_RESP_ERR__NO_OFFSET || !partitions) return;
  for (int i = 0; i < partitions->cnt; ++i) {
    const auto& entry = partitions->elems[i];
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && entry.err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const auto found = partitions_.find({entry.topic, entry.partition});
    if (found != partitions_.end()) found->second.committed = -1;
  }
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
    case RD_KAFKA_RESP_ERR__DESTROY: return;
    default: client_->saw_error(error, "offsets could not be committed");
  }
}

}  // namespace gkv
