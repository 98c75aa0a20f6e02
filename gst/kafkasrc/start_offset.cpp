#include "start_offset.h"

#include "common/kafka/handles.h"

namespace gkv {

std::optional<Watermarks> watermarks(rd_kafka_t* handle, const std::string& topic, int partition,
                                     std::chrono::milliseconds timeout) {
  Watermarks marks;
  const auto error = rd_kafka_query_watermark_offsets(handle, topic.c_str(), partition, &marks.low, &marks.high,
                                                      static_cast<int>(timeout.count()));
  return error == RD_KAFKA_RESP_ERR_NO_ERROR ? std::optional(marks) : std::nullopt;
}

std::optional<std::int64_t> offset_at(rd_kafka_t* handle, const std::string& topic, int partition, std::int64_t time_ms,
                                      std::chrono::milliseconds timeout) {
  const kafka::Partitions list(rd_kafka_topic_partition_list_new(1));
  auto* entry = rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition);
  entry->offset = time_ms;
  const auto error = rd_kafka_offsets_for_times(handle, list.get(), static_cast<int>(timeout.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR || entry->err != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  return entry->offset < 0 ? RD_KAFKA_OFFSET_END : entry->offset;
}

std::optional<std::int64_t> committed_offset(rd_kafka_t* handle, const std::string& topic, int partition,
                                             std::chrono::milliseconds timeout) {
  const kafka::Partitions list(rd_kafka_topic_partition_list_new(1));
  auto* entry = rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition);
  const auto error = rd_kafka_committed(handle, list.get(), static_cast<int>(timeout.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR || entry->err != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  return entry->offset;
}

}  // namespace gkv
