/**
 * SECTION:element-kafkasink
 *
 * Writes each buffer as one message of an Apache Kafka topic: the value is the buffer's bytes, the headers say what it
 * is (caps, source id, capture time, sequence, classifications), the key is the source id.
 *
 * ## Example
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! jpegenc ! kafkasink bootstrap-servers=localhost:9092 topic=videocam
 * ]|
 */
#include "gstkafkasink.h"

#include <memory>
#include <optional>
#include <string>

#include "common/glue/gstkafkaconnection.h"
#include "common/glue/gstkafkaevents.h"
#include "common/glue/gstkafkauri.h"
#include "common/glue/guarded.h"
#include "common/glue/reporting_failure.h"
#include "frame_producer.h"
#include "gstoutgoingframe.h"

GST_DEBUG_CATEGORY_STATIC(kafka_sink_debug);
#define GST_CAT_DEFAULT kafka_sink_debug

namespace {

constexpr guint kDefaultMaxQueueFrames = 32;
constexpr guint64 kDefaultMaxQueueBytes = 128 * 1024 * 1024;
constexpr guint kDefaultMaxMessageBytes = 100 * 1024 * 1024;
constexpr guint kLargestMessageBytes = 1'000'000'000;  // librdkafka's limit
constexpr guint kLiveDrainTimeoutMs = 1'000;

enum class Compression { kNone, kGzip, kSnappy, kLz4, kZstd };

/// What the properties say; copied when the element starts.
struct Settings {
  gkv::KafkaConnection connection;
  std::string source_id;
  std::optional<std::string> key;
  gint partition = RD_KAFKA_PARTITION_UA;
  gkv::Delivery delivery = gkv::Delivery::kLive;
  guint max_queue_frames = kDefaultMaxQueueFrames;
  guint64 max_queue_bytes = kDefaultMaxQueueBytes;
  guint max_age_ms = 0;
  std::optional<Compression> compression;
  std::optional<guint> max_message_bytes;
  gkv::Timestamp timestamp = gkv::Timestamp::kCapture;
  gboolean create_topic = FALSE;
  gkv::NewTopic new_topic;
  std::optional<guint> drain_timeout_ms;

  /// A change of leaders takes longer than what a live stream is worth waiting for.
  guint drain_timeout() const {
    return drain_timeout_ms.value_or(delivery == gkv::Delivery::kLive ? kLiveDrainTimeoutMs : 0);
  }
};

/// What runs between start and stop. Belongs to the streaming thread.
struct Running {
  gkv::Delivery delivery = gkv::Delivery::kLive;
  std::chrono::milliseconds drain_timeout{0};
  gkv::FrameEncoder encoder{{}};
  bool warned_of_caps = false;
};

using Outcome = gkv::FrameProducer::Outcome;

enum Property {
  kSourceId = gkv::KafkaConnection::kFirstOwn,
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

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text ? text : "";
}

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
gkv::kafka::Config to_config(const Settings& settings, GstElement* element, GstDebugCategory* category) {
  gkv::kafka::Config config = settings.connection.to_config(element, category);
  if (settings.compression) {
    const char* codec = compressions()[int(*settings.compression)].value_nick;
    config.user.push_back(gkv::from_property("compression", {"compression.codec", codec}));
  }
  if (settings.max_message_bytes) {
    config.user.push_back(
        gkv::from_property("max-message-bytes", {"message.max.bytes", std::to_string(*settings.max_message_bytes)}));
  }
  return config;
}

gkv::FrameProducer::Settings to_producer_settings(const Settings& settings, GstElement* element,
                                                  GstDebugCategory* category) {
  return {.config = to_config(settings, element, category),
          .topic = settings.connection.topic,
          .partition = settings.partition,
          .delivery = settings.delivery,
          .queue = {.frames = settings.max_queue_frames, .bytes = settings.max_queue_bytes},
          .max_age = std::chrono::milliseconds(settings.max_age_ms),
          .create_topic = settings.create_topic ? std::optional(settings.new_topic) : std::nullopt,
          .connect_timeout = std::chrono::milliseconds(settings.connection.timeout_ms)};
}

}  // namespace

struct KafkaSinkState {
  gkv::Guarded<Settings> settings;
  Running running;
  gkv::Guarded<std::shared_ptr<gkv::FrameProducer>> producer;  ///< null while stopped
};

struct _GstKafkaSink {
  GstBaseSink parent;
  KafkaSinkState* state;  ///< C++ members live here: new in init, delete in finalize.
};

G_DEFINE_TYPE_WITH_CODE(GstKafkaSink, gst_kafka_sink, GST_TYPE_BASE_SINK,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER, gkv::kafka_uri_handler_init))
GST_ELEMENT_REGISTER_DEFINE(kafkasink, "kafkasink", GST_RANK_NONE, GST_TYPE_KAFKA_SINK)

GType gst_kafka_sink_delivery_get_type(void) {
  static const GEnumValue values[] = {
      {int(gkv::Delivery::kLive), "When Kafka is too slow or away, the oldest waiting frame is dropped", "live"},
      {int(gkv::Delivery::kLossless), "When Kafka is too slow or away, the pipeline waits", "lossless"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstKafkaSinkDelivery", values);
  return type;
}

GType gst_kafka_sink_compression_get_type(void) {
  static const GType type = g_enum_register_static("GstKafkaSinkCompression", compressions());
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

static gboolean gst_kafka_sink_start(GstBaseSink* sink) {
  auto* state = GST_KAFKA_SINK(sink)->state;
  return gkv::reporting_failure(sink, gboolean{FALSE}, [&] {
    const Settings settings = state->settings.snapshot();
    state->running = Running{
        .delivery = settings.delivery,
        .drain_timeout = std::chrono::milliseconds(settings.drain_timeout()),
        .encoder = gkv::FrameEncoder({.source_id = settings.source_id.empty() ? g_get_host_name() : settings.source_id,
                                      .key = settings.key,
                                      .timestamp = settings.timestamp})};
    *state->producer.lock() =
        gkv::FrameProducer::start(to_producer_settings(settings, GST_ELEMENT(sink), GST_CAT_DEFAULT),
                                  gkv::bus_events(GST_ELEMENT(sink), GST_CAT_DEFAULT));
    return gboolean{TRUE};
  });
}

static gboolean gst_kafka_sink_stop(GstBaseSink* sink) {
  auto* state = GST_KAFKA_SINK(sink)->state;
  const auto producer = std::exchange(*state->producer.lock(), nullptr);
  if (producer) producer->stop();
  return TRUE;
}

static gboolean gst_kafka_sink_set_caps(GstBaseSink* sink, GstCaps* caps) {
  return gkv::reporting_failure(sink, gboolean{FALSE}, [&] {
    Running& running = GST_KAFKA_SINK(sink)->state->running;
    const std::size_t size = running.encoder.set_caps(caps);
    if (size > gkv::FrameEncoder::kLongestCaps && !std::exchange(running.warned_of_caps, true)) {
      gkv::post_warning(sink, gkv::Failure("The caps are " + std::to_string(size) +
                                           " bytes long as text, and readers ignore them above 65536: they will not "
                                           "know the format of the frames; leave out codec_data or streamheader, as "
                                           "stream-format=byte-stream does."));
    }
    return gboolean{TRUE};
  });
}

static GstFlowReturn gst_kafka_sink_render(GstBaseSink* sink, GstBuffer* buffer) {
  auto* state = GST_KAFKA_SINK(sink)->state;
  return gkv::reporting_failure(sink, GST_FLOW_ERROR, [&] {
    if (gst_buffer_get_size(buffer) == 0) return GST_FLOW_OK;  // a message without value would be a tombstone
    gkv::OutgoingFrame frame = state->running.encoder.encode(sink, buffer);
    const auto producer = state->producer.snapshot();
    while (true) {
      const auto outcome = producer->send(frame);
      if (outcome == Outcome::kDone) return GST_FLOW_OK;
      if (outcome == Outcome::kFailed) return GST_FLOW_ERROR;
      // Flushing is also the way to PAUSED, from which the frame goes on.
      const GstFlowReturn flow = gst_base_sink_wait_preroll(sink);
      if (flow != GST_FLOW_OK) return flow;
    }
  });
}

/// At the end of the stream each frame is given its time to arrive.
static GstFlowReturn drain(GstKafkaSink* self) {
  const Running& running = self->state->running;
  const auto producer = self->state->producer.snapshot();
  std::size_t left = 0;
  Outcome outcome{};
  while ((outcome = producer->drain(running.drain_timeout, left)) == Outcome::kFlushing) {
    const GstFlowReturn flow = gst_base_sink_wait_preroll(GST_BASE_SINK(self));
    if (flow != GST_FLOW_OK) return flow;
  }
  if (left == 0 || outcome == Outcome::kFailed) return GST_FLOW_OK;
  const gkv::Failure failure(std::to_string(left) +
                             " frames were not delivered to Kafka before the stream ended; see that the broker "
                             "answers, or raise the property drain-timeout.");
  if (running.delivery == gkv::Delivery::kLive) {
    gkv::post_warning(self, failure);
  } else {
    gkv::post_error(self, failure);
  }
  return GST_FLOW_OK;
}

/// GstBaseSink holds its preroll lock here, which a state change needs: what waits must be woken by unlock().
static GstFlowReturn gst_kafka_sink_wait_event(GstBaseSink* sink, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    GstFlowReturn flow = gst_base_sink_do_preroll(sink, GST_MINI_OBJECT_CAST(event));
    if (flow != GST_FLOW_OK) return flow;
    flow = gkv::reporting_failure(sink, GST_FLOW_ERROR, [&] { return drain(GST_KAFKA_SINK(sink)); });
    if (flow != GST_FLOW_OK) return flow;
  }
  return GST_BASE_SINK_CLASS(gst_kafka_sink_parent_class)->wait_event(sink, event);
}

static void set_flushing(GstBaseSink* sink, bool flushing) {
  const auto producer = GST_KAFKA_SINK(sink)->state->producer.snapshot();
  if (producer) producer->set_flushing(flushing);
}

static gboolean gst_kafka_sink_unlock(GstBaseSink* sink) {
  set_flushing(sink, true);
  return TRUE;
}

static gboolean gst_kafka_sink_unlock_stop(GstBaseSink* sink) {
  set_flushing(sink, false);
  return TRUE;
}

/// GstBaseSink's statistics with those of the Kafka producer added.
static GstStructure* stats(GstKafkaSink* self) {
  GstStructure* stats = gst_base_sink_get_stats(GST_BASE_SINK(self));
  const auto producer = self->state->producer.snapshot();
  const auto statistics = producer ? producer->statistics() : gkv::FrameProducer::Statistics{};
  const Settings settings = self->state->settings.snapshot();
  const auto set = [&](const char* name, guint64 value) {
    gst_structure_set(stats, name, G_TYPE_UINT64, value, nullptr);
  };
  const auto& counts = statistics.counts;
  set("messages-in", counts.accepted);
  set("bytes-in", counts.accepted_bytes);
  set("messages-delivered", counts.delivered);
  set("bytes-delivered", counts.delivered_bytes);
  set("dropped-queue-full", counts.dropped_queue_full);
  set("dropped-too-old", counts.dropped_too_old);
  set("dropped-too-large", counts.dropped_too_large);
  set("messages-failed", counts.failed);
  set("messages-resent", counts.resent);
  set("queue-frames", statistics.queue_frames);
  set("max-queue-frames", settings.max_queue_frames);
  set("queue-bytes", statistics.queue_bytes);
  set("max-queue-bytes", settings.max_queue_bytes);
  set("latency-p50", guint64(statistics.latency.p50.count()));
  set("latency-p99", guint64(statistics.latency.p99.count()));
  set("latency-max", guint64(statistics.latency.max.count()));
  gkv::add_client_stats(stats, statistics.connection, statistics.errors);
  return stats;
}

static void gst_kafka_sink_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  auto settings = GST_KAFKA_SINK(object)->state->settings.lock();
  if (settings->connection.set_property(id, value)) return;
  switch (id) {
    case kSourceId: settings->source_id = text_of(value); break;
    case kKey: {
      const gchar* text = g_value_get_string(value);
      settings->key = text ? std::optional<std::string>(text) : std::nullopt;
      break;
    }
    case kPartition: settings->partition = g_value_get_int(value); break;
    case kMaxQueueBytes: settings->max_queue_bytes = g_value_get_uint64(value); break;
    case kMaxAge: settings->max_age_ms = g_value_get_uint(value); break;
    case kCompression: settings->compression = Compression(g_value_get_enum(value)); break;
    case kMaxMessageBytes: settings->max_message_bytes = g_value_get_uint(value); break;
    case kTimestamp: settings->timestamp = gkv::Timestamp(g_value_get_enum(value)); break;
    case kCreateTopic: settings->create_topic = g_value_get_boolean(value); break;
    case kPartitions: settings->new_topic.partitions = g_value_get_int(value); break;
    case kReplicationFactor: settings->new_topic.replication_factor = g_value_get_int(value); break;
    case kDelivery: settings->delivery = gkv::Delivery(g_value_get_enum(value)); break;
    case kMaxQueueFrames: settings->max_queue_frames = g_value_get_uint(value); break;
    case kDrainTimeout: settings->drain_timeout_ms = g_value_get_uint(value); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void gst_kafka_sink_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const Settings settings = GST_KAFKA_SINK(object)->state->settings.snapshot();
  if (settings.connection.get_property(id, value)) return;
  switch (id) {
    case kSourceId: g_value_set_string(value, settings.source_id.c_str()); break;
    case kKey: g_value_set_string(value, settings.key ? settings.key->c_str() : nullptr); break;
    case kPartition: g_value_set_int(value, settings.partition); break;
    case kMaxQueueBytes: g_value_set_uint64(value, settings.max_queue_bytes); break;
    case kMaxAge: g_value_set_uint(value, settings.max_age_ms); break;
    case kCompression: g_value_set_enum(value, int(settings.compression.value_or(Compression::kNone))); break;
    case kMaxMessageBytes: g_value_set_uint(value, settings.max_message_bytes.value_or(kDefaultMaxMessageBytes)); break;
    case kTimestamp: g_value_set_enum(value, int(settings.timestamp)); break;
    case kCreateTopic: g_value_set_boolean(value, settings.create_topic); break;
    case kPartitions: g_value_set_int(value, settings.new_topic.partitions); break;
    case kReplicationFactor: g_value_set_int(value, settings.new_topic.replication_factor); break;
    case kDelivery: g_value_set_enum(value, int(settings.delivery)); break;
    case kMaxQueueFrames: g_value_set_uint(value, settings.max_queue_frames); break;
    case kDrainTimeout: g_value_set_uint(value, settings.drain_timeout()); break;
    case kStats: g_value_take_boxed(value, stats(GST_KAFKA_SINK(object))); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void gst_kafka_sink_init(GstKafkaSink* self) {
  self->state = new KafkaSinkState;
  gst_base_sink_set_sync(GST_BASE_SINK(self), FALSE);
  gst_base_sink_set_last_sample_enabled(GST_BASE_SINK(self), FALSE);  // it would hold a frame for nobody
}

static void gst_kafka_sink_finalize(GObject* object) {
  delete GST_KAFKA_SINK(object)->state;
  G_OBJECT_CLASS(gst_kafka_sink_parent_class)->finalize(object);
}

static void install_properties(GObjectClass* object) {
  constexpr auto kFlags = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);  // taken over on the way to READY
  gkv::KafkaConnection::install_properties(object, "Topic to write to (required)", kFlags);
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
                                       GST_TYPE_KAFKA_SINK_DELIVERY, int(gkv::Delivery::kLive), kFlags));
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
                                        GST_TYPE_KAFKA_SINK_TIMESTAMP, int(gkv::Timestamp::kCapture), kFlags));
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

static void gst_kafka_sink_class_init(GstKafkaSinkClass* klass) {
  GST_DEBUG_CATEGORY_INIT(kafka_sink_debug, "kafkasink", 0, "Kafka sink");

  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = gst_kafka_sink_set_property;
  object->get_property = gst_kafka_sink_get_property;
  object->finalize = gst_kafka_sink_finalize;
  install_properties(object);
  for (const GType type :
       {GST_TYPE_KAFKA_SINK_DELIVERY, GST_TYPE_KAFKA_SINK_COMPRESSION, GST_TYPE_KAFKA_SINK_TIMESTAMP}) {
    gst_type_mark_as_plugin_api(type, GstPluginAPIFlags(0));
  }

  auto* element = GST_ELEMENT_CLASS(klass);
  static GstStaticPadTemplate sink = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  gst_element_class_add_static_pad_template(element, &sink);
  gst_element_class_set_static_metadata(element, "Kafka sink", "Sink/Network",
                                        "Writes each buffer as one message of an Apache Kafka topic, e.g. videotestsrc "
                                        "is-live=true ! jpegenc ! kafkasink "
                                        "bootstrap-servers=localhost:9092 topic=videocam",
                                        "gst-kafka-vision contributors");

  auto* base_sink = GST_BASE_SINK_CLASS(klass);
  base_sink->start = gst_kafka_sink_start;
  base_sink->stop = gst_kafka_sink_stop;
  base_sink->set_caps = gst_kafka_sink_set_caps;
  base_sink->render = gst_kafka_sink_render;
  base_sink->wait_event = gst_kafka_sink_wait_event;
  base_sink->unlock = gst_kafka_sink_unlock;
  base_sink->unlock_stop = gst_kafka_sink_unlock_stop;
}
