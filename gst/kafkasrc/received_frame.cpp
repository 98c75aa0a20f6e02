#include "received_frame.h"

namespace gkv {

std::vector<HeaderView> ReceivedFrame::headers() const {
  std::vector<HeaderView> views;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(message_.get(), &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return views;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  views.reserve(rd_kafka_header_cnt(headers));
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    views.push_back({name, {static_cast<const char*>(value), value ? size : 0}});
  }
  return views;
}

std::string_view ReceivedFrame::header(const char* name) const {
  rd_kafka_headers_t* headers = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  if (rd_kafka_message_headers(message_.get(), &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
      rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {};
  }
  return {static_cast<const char*>(value), value ? size : 0};
}

std::string_view ReceivedFrame::source() const {
  const std::string_view source = header("ce_source");
  return source.empty() ? key() : source;
}

bool ReceivedFrame::is_delta_unit() const { return header("ce_flags").find("delta-unit") != std::string_view::npos; }

KafkaPosition ReceivedFrame::position() const {
  rd_kafka_timestamp_type_t type{};
  const std::int64_t timestamp = rd_kafka_message_timestamp(message_.get(), &type);
  return {.topic = rd_kafka_topic_name(message_->rkt),
          .partition = message_->partition,
          .offset = message_->offset,
          .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp};
}

void ReceivedFrame::count_as_held(const HeldBytes& held, std::size_t bytes) {
  *held += bytes;
  counted_ = std::shared_ptr<const void>(message_.get(), [held, bytes](const void*) { *held -= bytes; });
}

}  // namespace gkv
