#include "gstkafkasinkproperties.h"

#include "common/glue/property_text.h"
#include "gstkafkasink.h"

namespace gkv {
namespace {

constexpr guint kDefaultMaxMessageBytes = 100 * 1024 * 1024;
constexpr guint kLargestMessageBytes = 1'000'000'000;  // librdkafka's limit

enum class Compression { kNone, kGzip, kSnappy, kLz4, kZstd };

const GEnumValue* compressions() {
  static const GEnumValue values[] = {
      {int(Compression::kNone), "Not compressed: right for JPEG and coded video", "none"},
      {int(Compression::kGzip), "gzip", "gzip"},
      {int(Compression::kSnappy), "Snappy", "snappy"},
      {int(Compression::kLz4), "LZ4: right for raw video", "lz4"},
      {int(Compression::kZstd), "Zstandard", "zstd"},
      {0, nullptr, nullptr}};
  return values;
}

/// librdkafka's configuration as the properties ask for it.
kafka::Config to_config(const KafkaSinkSettings& settings, GstElement* element, GstDebugCategory* category) {
  kafka::Config config = settings.connection.to_config(element, category);
  if (settings.compression) {
    const char* codec = compressions()[*settings.compression].value_nick;
    config.user.push_back(from_property("compression", {"compression.codec", codec}));
  }
  if (settings.max_message_bytes) {
    config.user.push_back(
        from_property("max-message-bytes", {"message.max.bytes", std::to_string(*settings.max_message_bytes)}));
  }
  return config;
}

}  // namespace

bool KafkaSinkSettings::set_property(guint id, const GValue* value) {
  if (connection.set_property(id, value)) return true;
  switch (id) {
    case kSourceId: source_id = text_of(value); return true;
    case kKey: {
      const gchar* text = g_value_get_string(value);
      key = text ? std::optional<std::string>(text) : std::nullopt;
      return true;
    }
    case kPartition: partition = g_value_get_int(value); return true;
    case kMaxQueueBytes: max_queue_bytes = g_value_get_uint64(value); return true;
    case kMaxAge: max_age_ms = g_value_get_uint(value); return true;
    case kCompression: compression = g_value_get_enum(value); return true;
    case kMaxMessageBytes: max_message_bytes = g_value_get_uint(value); return true;
    case kTimestamp: timestamp = Timestamp(g_value_get_enum(value)); return true;
    case kCreateTopic: create_topic = g_value_get_boolean(value); return true;
    case kPartitions: new_topic.partitions = g_value_get_int(value); return true;
    case kReplicationFactor: new_topic.replication_factor = g_value_get_int(value); return true;
    case kDelivery: delivery = Delivery(g_value_get_enum(value)); return true;
    case kMaxQueueFrames: max_queue_frames = g_value_get_uint(value); return true;
    case kDrainTimeout: drain_timeout_ms = g_value_get_uint(value); return true;
    default: return false;
  }
}

bool KafkaSinkSettings::get_property(guint id, GValue* value) const {
  if (connection.get_property(id, value)) return true;
  switch (id) {
    case kSourceId: g_value_set_string(value, source_id.c_str()); return true;
    case kKey: g_value_set_string(value, key ? key->c_str() : nullptr); return true;
    case kPartition: g_value_set_int(value, partition); return true;
    case kMaxQueueBytes: g_value_set_uint64(value, max_queue_bytes); return true;
    case kMaxAge: g_value_set_uint(value, max_age_ms); return true;
    case kCompression: g_value_set_enum(value, compression.value_or(int(Compression::kNone))); return true;
    case kMaxMessageBytes: g_value_set_uint(value, max_message_bytes.value_or(kDefaultMaxMessageBytes)); return true;
    case kTimestamp: g_value_set_enum(value, int(timestamp)); return true;
    case kCreateTopic: g_value_set_boolean(value, create_topic); return true;
    case kPartitions: g_value_set_int(value, new_topic.partitions); return true;
    case kReplicationFactor: g_value_set_int(value, new_topic.replication_factor); return true;
    case kDelivery: g_value_set_enum(value, int(delivery)); return true;
    case kMaxQueueFrames: g_value_set_uint(value, max_queue_frames); return true;
    case kDrainTimeout: g_value_set_uint(value, drain_timeout()); return true;
    default: return false;
  }
}

void KafkaSinkSettings::install_properties(GObjectClass* object) {
  constexpr auto kFlags = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);  // taken over on the way to READY
  KafkaConnection::install_properties(object, "Topic to write to (required)", kFlags);
  const auto install = [&](Property id, GParamSpec* spec) { g_object_class_install_property(object, id, spec); };
  install(kSourceId, g_param_spec_string("source-id", "Source id",
                                         "Which camera this is: key and source of each message, for frames that don't "
                                         "carry a source id already (empty: the host's name)",
                                         nullptr, kFlags));
  install(kKey, g_param_spec_string("key", "Key",
                                    "Key of each message, by which Kafka chooses the partition (none: the source id; "
                                    "empty: no key, any partition)",
                                    nullptr, kFlags));
  install(kPartition, g_param_spec_int("partition", "Partition", "Partition to write to (-1: by key)", -1, G_MAXINT,
                                       RD_KAFKA_PARTITION_UA, kFlags));
  install(kDelivery, g_param_spec_enum("delivery", "Delivery", "What happens when Kafka is too slow or away",
                                       GST_TYPE_KAFKA_SINK_DELIVERY, int(Delivery::kLive), kFlags));
  install(kMaxQueueFrames, g_param_spec_uint("max-queue-frames", "Maximum frames queued",
                                             "Frames held at most until the broker has them", 2, 100'000,
                                             kDefaultMaxQueueFrames, kFlags));
  install(kMaxQueueBytes, g_param_spec_uint64("max-queue-bytes", "Maximum bytes queued",
                                              "Bytes of frames held at most until the broker has them (0: no limit); a "
                                              "single larger frame is taken when no other is held",
                                              0, G_MAXUINT64, kDefaultMaxQueueBytes, kFlags));
  install(kMaxAge, g_param_spec_uint("max-age", "Maximum age",
                                     "Time since its capture after which a frame is not sent any more, in ms, with "
                                     "delivery=live (0: no limit). The clocks of cameras and this machine must agree",
                                     0, G_MAXINT, 0, kFlags));
  install(kCompression, g_param_spec_enum("compression", "Compression", "How messages are compressed",
                                          GST_TYPE_KAFKA_SINK_COMPRESSION, int(Compression::kNone), kFlags));
  install(kMaxMessageBytes, g_param_spec_uint("max-message-bytes", "Maximum bytes of a message",
                                              "Size of the largest message, its headers included; the topic's "
                                              "max.message.bytes on the broker must allow it, too",
                                              1000, kLargestMessageBytes, kDefaultMaxMessageBytes, kFlags));
  install(kTimestamp, g_param_spec_enum("timestamp", "Timestamp", "What the timestamp of a message says",
                                        GST_TYPE_KAFKA_SINK_TIMESTAMP, int(Timestamp::kCapture), kFlags));
  install(kCreateTopic, g_param_spec_boolean("create-topic", "Create topic",
                                             "Create the topic when it is not there, with the properties partitions "
                                             "and replication-factor",
                                             FALSE, kFlags));
  install(kPartitions,
          g_param_spec_int("partitions", "Partitions", "Partitions of a topic that is created", 1, 100'000, 1, kFlags));
  install(kReplicationFactor, g_param_spec_int("replication-factor", "Replication factor",
                                               "Copies that the brokers keep of a topic that is created (-1: as the "
                                               "broker is set)",
                                               -1, 1000, -1, kFlags));
  install(kDrainTimeout,
          g_param_spec_uint("drain-timeout", "Drain time-out",
                            "Time at the end of the stream for frames to be delivered, in ms (0: no limit; unless set: "
                            "1000 with delivery=live, no limit with delivery=lossless)",
                            0, G_MAXINT, kLiveDrainTimeoutMs, kFlags));
  install(kStats,
          g_param_spec_boxed("stats", "Statistics",
                             "Since the start: messages and bytes in and delivered, dropped by reason, "
                             "queue depth and limits, delivery latency (ns), errors, reconnects, round-trip (ns); "
                             "and those of GstBaseSink",
                             GST_TYPE_STRUCTURE, GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

FrameProducer::Settings KafkaSinkSettings::to_producer_settings(GstElement* element, GstDebugCategory* category) const {
  return {.config = to_config(*this, element, category),
          .topic = connection.topic,
          .partition = partition,
          .delivery = delivery,
          .queue = {.frames = max_queue_frames, .bytes = max_queue_bytes},
          .max_age = std::chrono::milliseconds(max_age_ms),
          .create_topic = create_topic ? std::optional(new_topic) : std::nullopt,
          .connect_timeout = std::chrono::milliseconds(connection.timeout_ms)};
}

}  // namespace gkv

GType gst_kafka_sink_delivery_get_type(void) {
  static const GEnumValue values[] = {
      {int(gkv::Delivery::kLive), "When Kafka is too slow or away, the oldest waiting frame is dropped", "live"},
      {int(gkv::Delivery::kLossless), "When Kafka is too slow or away, the pipeline waits", "lossless"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstKafkaSinkDelivery", values);
  return type;
}

GType gst_kafka_sink_compression_get_type(void) {
  static const GType type = g_enum_register_static("GstKafkaSinkCompression", gkv::compressions());
  return type;
}

GType gst_kafka_sink_timestamp_get_type(void) {
  static const GEnumValue values[] = {
      {int(gkv::Timestamp::kCapture), "When the frame was captured", "capture"},
      {int(gkv::Timestamp::kPts), "When its running time was, by the pipeline's clock", "pts"},
      {int(gkv::Timestamp::kNow), "When it is sent", "now"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstKafkaSinkTimestamp", values);
  return type;
}
