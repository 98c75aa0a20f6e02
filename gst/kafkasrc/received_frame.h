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

/// A message as it was fetched. It keeps librdkafka's fetch response alive, and the client with it, until it is
/// detached.
class ReceivedFrame {
 public:
  ReceivedFrame(std::shared_ptr<kafka::Client> client, rd_kafka_message_t* message);

  /// The message's value; empty for a tombstone.
  std::span<const std::byte> payload() const { return payload_; }
  std::string_view key() const { return key_; }
  const char* topic() const { return own_ ? own_->topic.c_str() : rd_kafka_topic_name(message_->rkt); }
  int partition() const { return partition_; }
  std::int64_t offset() const { return offset_; }
  std::int64_t timestamp_ms() const { return timestamp_ms_; }  ///< Unix ms; -1: none

  /// Which camera: ce_source, else the key. Valid as long as the frame.
  std::string_view source() const;
  /// Whether the frame can only be decoded after the one before it.
  bool is_delta_unit() const;
  /// Valid as long as the frame.
  std::vector<HeaderView> headers() const;
  KafkaPosition position() const;

  /// Counts `bytes` as held until the frame goes.
  void hold(const HeldBytes& held, std::size_t bytes);
  bool is_held() const { return held_ != nullptr; }
  /// Copies what it has of the message, and lets the fetch response go.
  void detach();
  bool is_detached() const { return own_ != nullptr; }

 private:
  struct Own {
    std::unique_ptr<std::byte[]> payload;
    std::string key, topic;
    kafka::Headers headers;
  };

  rd_kafka_headers_t* raw_headers() const;
  std::string_view header(const char* name) const;

  std::shared_ptr<kafka::Client> client_;  ///< first: outlives the message
  kafka::Message message_;                 ///< null when detached
  std::unique_ptr<Own> own_;               ///< null unless detached
  std::span<const std::byte> payload_;
  std::string_view key_;
  int partition_;
  std::int64_t offset_, timestamp_ms_;
  std::shared_ptr<const void> held_;
};

}  // namespace gkv
