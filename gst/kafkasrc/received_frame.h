#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/frame/headers.h"
#include "common/kafka/client.h"

namespace gkv {

/// Bytes of fetch responses that frames keep in memory; shared by the frames and whoever limits them.
using HeldBytes = std::shared_ptr<std::atomic<std::size_t>>;

/// A message as it was fetched. It keeps librdkafka's fetch response alive, and the client with it.
class ReceivedFrame {
 public:
  ReceivedFrame(std::shared_ptr<kafka::Client> client, rd_kafka_message_t* message)
      : client_(std::move(client)), message_(message) {}

  /// The message's value; empty for a tombstone.
  std::span<const std::byte> payload() const {
    return {static_cast<const std::byte*>(message_->payload), message_->payload ? message_->len : 0};
  }
  std::string_view key() const {
    return {static_cast<const char*>(message_->key), message_->key ? message_->key_len : 0};
  }
  /// Which camera: ce_source, else the key. Valid as long as the frame.
  std::string_view source() const;
  /// Whether the frame can only be decoded after the one before it.
  bool is_delta_unit() const;
  /// Valid as long as the frame.
  std::vector<HeaderView> headers() const;
  KafkaPosition position() const;

  const rd_kafka_message_t& message() const { return *message_; }
  std::int64_t timestamp_ms() const { return rd_kafka_message_timestamp(message_.get(), nullptr); }

  /// Counts `bytes` as held until the frame goes.
  void count_as_held(const HeldBytes& held, std::size_t bytes);

 private:
  std::string_view header(const char* name) const;

  std::shared_ptr<kafka::Client> client_;  ///< first: outlives the message
  kafka::Message message_;
  std::shared_ptr<const void> counted_;
};

}  // namespace gkv
