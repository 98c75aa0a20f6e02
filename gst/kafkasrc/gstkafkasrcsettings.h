#pragma once

#include <gst/gst.h>

#include <memory>
#include <optional>
#include <string>

#include "common/glue/gstkafkaconnection.h"
#include "frame_consumer.h"
#include "gstframetime.h"

G_BEGIN_DECLS

#define GST_TYPE_KAFKA_SRC_MODE (gst_kafka_src_mode_get_type())
GType gst_kafka_src_mode_get_type(void);

#define GST_TYPE_KAFKA_SRC_STOP (gst_kafka_src_stop_get_type())
GType gst_kafka_src_stop_get_type(void);

#define GST_TYPE_KAFKA_SRC_ISOLATION (gst_kafka_src_isolation_get_type())
GType gst_kafka_src_isolation_get_type(void);

#define GST_TYPE_KAFKA_SRC_COMMIT (gst_kafka_src_commit_get_type())
GType gst_kafka_src_commit_get_type(void);

#define GST_TYPE_KAFKA_SRC_TIMESTAMPS (gst_kafka_src_timestamps_get_type())
GType gst_kafka_src_timestamps_get_type(void);

G_END_DECLS

namespace gkv {

/// What the properties say; copied when the element starts.
struct KafkaSrcSettings {
  static constexpr guint kDefaultCommitIntervalMs = 1000;
  static constexpr guint kDefaultMaxAgeMs = 2000;
  static constexpr guint64 kDefaultMaxBytesHeld = 64 * 1024 * 1024;
  static constexpr guint kDefaultLatencyMs = 200;

  enum class Isolation { kReadUncommitted, kReadCommitted };
  /// Ids of the properties that kafkasrc has beside those of the connection, and `stats`.
  enum Property {
    kPartitions = KafkaConnection::kFirstOwn,
    kGroupId,
    kMode,
    kStartOffset,
    kStartTime,
    kStop,
    kStopTime,
    kIsolationLevel,
    kAssignor,
    kCommit,
    kCommitInterval,
    kMaxAge,
    kCaps,
    kTimestamps,
    kLatency,
    kSourceFilter,
    kMaxBytesHeld,
    kStats
  };

  KafkaConnection connection;
  std::string partitions, source_filter;
  std::optional<std::string> group_id, assignor;
  std::shared_ptr<GstCaps> caps;
  ReadMode mode = ReadMode::kLatestOffset;
  std::string start_offset = "auto", start_time;
  StopAt::Kind stop = StopAt::Kind::kNever;
  std::string stop_time;
  std::optional<Isolation> isolation;
  Commit commit = Commit::kInterval;
  guint commit_interval_ms = kDefaultCommitIntervalMs;
  guint max_age_ms = kDefaultMaxAgeMs;
  guint64 max_bytes_held = kDefaultMaxBytesHeld;
  Timestamps timestamps = Timestamps::kArrival;
  guint latency_ms = kDefaultLatencyMs;

  /// Every message with time stamps of its own is a recording, which sinks play at its pace.
  bool is_live() const { return mode == ReadMode::kLatestOffset || timestamps == Timestamps::kArrival; }
  bool is_seekable() const { return !is_live() && timestamps == Timestamps::kCapture && !group_id; }

  static void install_properties(GObjectClass* klass);
  void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec);
  void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) const;

  /// @param category  whose level librdkafka's log follows
  /// @throws Failure that names the property
  FrameConsumer::Settings to_consumer_settings(GstElement* element, GstDebugCategory* category) const;
};

}  // namespace gkv
