#include "offsets.h"

#include "common/kafka/handles.h"

namespace gkv {

Offsets offsets_at(rd_kafka_t* handle, const std::map<PartitionId, std::int64_t>& times,
                   std::chrono::milliseconds timeout) {
  Offsets offsets;
  if (times.empty()) return offsets;
  const kafka::Partitions list(rd_kafka_topic_partition_list_new(static_cast<int>(times.size())));
  for (const auto& [id, time_ms] : times) {
    rd_kafka_topic_partition_list_add(list.get(), id.first.c_str(), id.second)->offset = time_ms;
  }
  offsets.error = rd_kafka_offsets_for_times(handle, list.get(), static_cast<int>(timeout.count()));
  // Where all of them are unknown, their topics are.
  if (offsets.error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION) offsets.error = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  if (offsets.error != RD_KAFKA_RESP_ERR_NO_ERROR) return offsets;
  for (int i = 0; i < list->cnt; ++i) {
    const auto& entry = list->elems[i];
    const PartitionId id(entry.topic, entry.partition);
    if (entry.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      offsets.error = entry.err;
    } else {
      offsets.found[id] = entry.offset < 0 ? RD_KAFKA_OFFSET_END : entry.offset;
    }
  }
  return offsets;
}

}  // namespace gkv
