#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>

#include "common/glue/gstkafkaconnection.h"
#include "frame_producer.h"
#include "gstoutgoingframe.h"

namespace gkv {

inline constexpr guint kDefaultMaxQueueFrames = 32;
inline constexpr guint64 kDefaultMaxQueueBytes = 128 * 1024 * 1024;
inline constexpr guint kLiveDrainTimeoutMs = 1'000;

/// What the properties say; copied when the element starts.
struct KafkaSinkSettings {
  KafkaConnection connection;
  std::string source_id;
  std::optional<std::string> key;
  gint partition = RD_KAFKA_PARTITION_UA;
  Delivery delivery = Delivery::kLive;
  guint max_queue_frames = kDefaultMaxQueueFrames;
  guint64 max_queue_bytes = kDefaultMaxQueueBytes;
  guint max_age_ms = 0;
  std::optional<int> compression;  ///< of GstKafkaSinkCompression
  std::optional<guint> max_message_bytes;
  Timestamp timestamp = Timestamp::kCapture;
  gboolean create_topic = FALSE;
  NewTopic new_topic;
  std::optional<guint> drain_timeout_ms;

  /// A change of leaders takes longer than what a live stream is worth waiting for.
  guint drain_timeout() const {
    return drain_timeout_ms.value_or(delivery == Delivery::kLive ? kLiveDrainTimeoutMs : 0);
  }

  /// Ids of kafkasink's own properties.
  enum Property : guint {
    kSourceId = KafkaConnection::kFirstOwn,
    kKey,
    kPartition,
    kDelivery,
    kMaxQueueFrames,
    kMaxQueueBytes,
    kMaxAge,
    kCompression,
    kMaxMessageBytes,
    kTimestamp,
    kCreateTopic,
    kPartitions,
    kReplicationFactor,
    kDrainTimeout,
    kStats
  };

  static void install_properties(GObjectClass* klass);
  /// @return whether the id is one of the properties
  bool set_property(guint id, const GValue* value);
  /// @return whether the id is one of the properties that are kept here: all but kStats
  bool get_property(guint id, GValue* value) const;

  /// @param category  whose level librdkafka's log follows
  /// @throws Failure for what is missing or impossible
  FrameProducer::Settings to_producer_settings(GstElement* element, GstDebugCategory* category) const;
};

}  // namespace gkv
