#include "received_frame.h"

#include <algorithm>

namespace gkv {

ReceivedFrame::ReceivedFrame(std::shared_ptr<kafka::Client> client, rd_kafka_message_t* message)
    : client_(std::move(client)),
      message_(message),
      payload_(static_cast<const std::byte*>(message->payload), message->payload ? message->len : 0),
      key_(static_cast<const char*>(message->key), message->key ? message->key_len : 0),
      partition_(message->partition),
      offset_(message->offset) {
  rd_kafka_timestamp_type_t type{};
  const std::int64_t timestamp = rd_kafka_message_timestamp(message, &type);
  timestamp_ms_ = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp;
}

rd_kafka_headers_t* ReceivedFrame::raw_headers() const {
  if (own_) return own_->headers.get();
  rd_kafka_headers_t* headers = nullptr;
  rd_kafka_message_headers(message_.get(), &headers);
  return headers;
}

std::vector<HeaderView> ReceivedFrame::headers() const {
  std::vector<HeaderView> views;
  rd_kafka_headers_t* headers = raw_headers();
  if (!headers) return views;
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
  rd_kafka_headers_t* headers = raw_headers();
  const void* value = nullptr;
  std::size_t size = 0;
  if (!headers || rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return {static_cast<const char*>(value), value ? size : 0};
}

std::string_view ReceivedFrame::source() const {
  const std::string_view source = header("ce_source");
  return source.empty() ? key() : source;
}

bool ReceivedFrame::is_delta_unit() const { return header("ce_flags").find("delta-unit") != std::string_view::npos; }

KafkaPosition ReceivedFrame::position() const {
  return {.topic = topic(), .partition = partition_, .offset = offset_, .timestamp_ms = timestamp_ms_};
}

void ReceivedFrame::hold(const HeldBytes& held, std::size_t bytes) {
  *held += bytes;
  held_ = std::shared_ptr<const void>(message_.get(), [held, bytes](const void*) { *held -= bytes; });
}

void ReceivedFrame::detach() {
  auto own = std::make_unique<Own>();
  own->payload = std::make_unique_for_overwrite<std::byte[]>(payload_.size());
  std::copy(payload_.begin(), payload_.end(), own->payload.get());
  own->key = key_;
  own->topic = topic();
  rd_kafka_headers_t* headers = nullptr;
  rd_kafka_message_detach_headers(message_.get(), &headers);
  own->headers.reset(headers);
  payload_ = {own->payload.get(), payload_.size()};
  key_ = own->key;
  own_ = std::move(own);
  message_.reset();
  client_.reset();
}

}  // namespace gkv
