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

#include "common/frame/gstframemeta.h"
#include "common/frame/headers.h"
#include "common/glue/gstkafkaconnection.h"
#include "common/glue/gstkafkaevents.h"
#include "common/glue/gstkafkauri.h"
#include "common/glue/guarded.h"
#include "common/glue/mapped_buffer.h"
#include "common/glue/reporting_failure.h"
#include "frame_producer.h"

GST_DEBUG_CATEGORY_STATIC(kafka_sink_debug);
#define GST_CAT_DEFAULT kafka_sink_debug

namespace {

constexpr guint kDefaultMaxQueueFrames = 32;
constexpr guint kDefaultDrainTimeoutMs = 1'000;
constexpr gint64 kNsPerMs = 1'000'000;

/// What the properties say; copied when the element starts.
struct Settings {
  gkv::KafkaConnection connection;
  std::string source_id;
  gkv::Delivery delivery = gkv::Delivery::kLive;
  guint max_queue_frames = kDefaultMaxQueueFrames;
  guint drain_timeout_ms = kDefaultDrainTimeoutMs;
};

/// The caps as the headers of each frame name them.
struct Format {
  std::string media_type;
  std::string caps;
};

/// What runs between start and stop. Belongs to the streaming thread, but for the producer.
struct Running {
  Settings settings;
  std::string run_id;
  guint64 frames = 0;
  Format format;
};

using Outcome = gkv::FrameProducer::Outcome;

enum Property { kSourceId = gkv::KafkaConnection::kFirstOwn, kDelivery, kMaxQueueFrames, kDrainTimeout, kStats };

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text ? text : "";
}

/// @return the running time, or GST_CLOCK_TIME_NONE where there is none, as in a stream of bytes
GstClockTime running_time(GstBaseSink* sink, GstClockTime time) {
  if (sink->segment.format != GST_FORMAT_TIME) return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time(&sink->segment, GST_FORMAT_TIME, time);
}

/// Unix time in ns at which the frame was captured: what its meta says, else now less the time since its running time.
guint64 capture_time(GstBaseSink* sink, GstBuffer* buffer, const gkv::FrameInfo& info) {
  if (info.capture_time_ns) return *info.capture_time_ns;
  const auto now = static_cast<guint64>(g_get_real_time()) * 1000;
  GstClock* clock = gst_element_get_clock(GST_ELEMENT(sink));
  if (!clock) return now;
  const GstClockTime element_now = gst_clock_get_time(clock) - gst_element_get_base_time(GST_ELEMENT(sink));
  gst_object_unref(clock);
  const GstClockTime running = running_time(sink, GST_BUFFER_PTS(buffer));
  // A frame that comes before its time, of a source that is not live, was made just now.
  if (!GST_CLOCK_TIME_IS_VALID(running) || running > element_now) return now;
  return now - (element_now - running);
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

static gboolean gst_kafka_sink_start(GstBaseSink* sink) {
  auto* state = GST_KAFKA_SINK(sink)->state;
  return gkv::reporting_failure(sink, gboolean{FALSE}, [&] {
    Settings settings = state->settings.snapshot();
    if (settings.source_id.empty()) settings.source_id = g_get_host_name();
    gchar* run_id = g_uuid_string_random();
    state->running = Running{.settings = settings, .run_id = run_id};
    g_free(run_id);
    *state->producer.lock() = gkv::FrameProducer::start(
        gkv::FrameProducer::Settings{.config = settings.connection.to_config(GST_ELEMENT(sink), GST_CAT_DEFAULT),
                                     .topic = settings.connection.topic,
                                     .delivery = settings.delivery,
                                     .max_queue_frames = settings.max_queue_frames,
                                     .connect_timeout = std::chrono::milliseconds(settings.connection.timeout_ms)},
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
    gchar* text = gst_caps_to_string(caps);
    GST_KAFKA_SINK(sink)->state->running.format = {
        .media_type = gst_structure_get_name(gst_caps_get_structure(caps, 0)), .caps = text};
    g_free(text);
    return gboolean{TRUE};
  });
}

static gkv::FrameHeaders headers_of(GstBaseSink* sink, GstBuffer* buffer, Running& running) {
  gkv::FrameHeaders headers{.content_type = running.format.media_type,
                            .caps = running.format.caps,
                            .id = running.run_id + "-" + std::to_string(running.frames),
                            .info = gkv::frame_info(buffer).value_or(gkv::FrameInfo{}),
                            .delta_unit = bool(GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT)),
                            .discont = bool(GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT)),
                            .classifications = gkv::classifications(buffer)};
  gkv::FrameInfo& info = headers.info;
  info.capture_time_ns = capture_time(sink, buffer, info);
  if (info.source.empty()) info.source = running.settings.source_id;
  if (info.stream.empty()) {
    info.stream = running.run_id;
    info.sequence = running.frames;
  }
  const auto known = [](GstClockTime time) {
    return GST_CLOCK_TIME_IS_VALID(time) ? std::optional<guint64>(time) : std::nullopt;
  };
  headers.pts_ns = known(running_time(sink, GST_BUFFER_PTS(buffer)));
  headers.dts_ns = known(running_time(sink, GST_BUFFER_DTS(buffer)));
  if (GST_BUFFER_DURATION_IS_VALID(buffer)) headers.duration_ns = GST_BUFFER_DURATION(buffer);
  return headers;
}

static GstFlowReturn gst_kafka_sink_render(GstBaseSink* sink, GstBuffer* buffer) {
  auto* state = GST_KAFKA_SINK(sink)->state;
  return gkv::reporting_failure(sink, GST_FLOW_ERROR, [&] {
    if (gst_buffer_get_size(buffer) == 0) return GST_FLOW_OK;  // a message without value would be a tombstone
    const gkv::FrameHeaders headers = headers_of(sink, buffer, state->running);
    ++state->running.frames;
    auto mapped = std::make_shared<const gkv::MappedBuffer>(buffer);
    gkv::OutgoingFrame frame{.payload = mapped->bytes(),
                             .owner = mapped,
                             .key = headers.info.source,
                             .headers = gkv::encode_headers(headers),
                             .timestamp_ms = static_cast<gint64>(*headers.info.capture_time_ns) / kNsPerMs};
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

static GstFlowReturn wait_until_playing(GstBaseSink* sink) {
  GST_BASE_SINK_PREROLL_LOCK(sink);
  const GstFlowReturn flow = gst_base_sink_wait_preroll(sink);
  GST_BASE_SINK_PREROLL_UNLOCK(sink);
  return flow;
}

/// At the end of the stream each frame is given its time to arrive.
static void drain(GstKafkaSink* self) {
  const Settings& settings = self->state->running.settings;
  const auto producer = self->state->producer.snapshot();
  const std::chrono::milliseconds timeout(settings.drain_timeout_ms);
  std::size_t left = 0;
  Outcome outcome{};
  while ((outcome = producer->drain(timeout, left)) == Outcome::kFlushing) {
    if (wait_until_playing(GST_BASE_SINK(self)) != GST_FLOW_OK) return;
  }
  if (left == 0 || outcome == Outcome::kFailed) return;
  const gkv::Failure failure(std::to_string(left) +
                             " frames were not delivered to Kafka before the stream ended; see that the broker "
                             "answers, or raise the property drain-timeout.");
  if (settings.delivery == gkv::Delivery::kLive) {
    gkv::post_warning(self, failure);
  } else {
    gkv::post_error(self, failure);
  }
}

static gboolean gst_kafka_sink_event(GstBaseSink* sink, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    gkv::reporting_failure(sink, gboolean{FALSE}, [&] {
      drain(GST_KAFKA_SINK(sink));
      return gboolean{TRUE};
    });
  }
  return GST_BASE_SINK_CLASS(gst_kafka_sink_parent_class)->event(sink, event);
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
  const auto counts = producer ? producer->counts() : gkv::FrameProducer::Counts{};
  gst_structure_set(stats, "messages-delivered", G_TYPE_UINT64, guint64{counts.delivered}, "bytes-delivered",
                    G_TYPE_UINT64, guint64{counts.bytes}, "queue-dropped", G_TYPE_UINT64, guint64{counts.dropped},
                    "messages-failed", G_TYPE_UINT64, guint64{counts.failed}, nullptr);
  return stats;
}

static void gst_kafka_sink_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  auto settings = GST_KAFKA_SINK(object)->state->settings.lock();
  if (settings->connection.set_property(id, value)) return;
  switch (id) {
    case kSourceId: settings->source_id = text_of(value); break;
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
    case kDelivery: g_value_set_enum(value, int(settings.delivery)); break;
    case kMaxQueueFrames: g_value_set_uint(value, settings.max_queue_frames); break;
    case kDrainTimeout: g_value_set_uint(value, settings.drain_timeout_ms); break;
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
  install(kDelivery, g_param_spec_enum("delivery", "Delivery", "What happens when Kafka is too slow or away",
                                       GST_TYPE_KAFKA_SINK_DELIVERY, int(gkv::Delivery::kLive), kFlags));
  install(kMaxQueueFrames, g_param_spec_uint("max-queue-frames", "Maximum frames queued",
                                             "Frames held at most until the broker has them", 2, 100'000,
                                             kDefaultMaxQueueFrames, kFlags));
  install(kDrainTimeout,
          g_param_spec_uint("drain-timeout", "Drain time-out",
                            "Time at the end of the stream for frames to be delivered, in ms (0: no limit)", 0,
                            G_MAXINT, kDefaultDrainTimeoutMs, kFlags));
  install(kStats,
          g_param_spec_boxed("stats", "Statistics",
                             "Counts since the start: messages-delivered, bytes-delivered, queue-dropped (frames), "
                             "messages-failed, and those of GstBaseSink",
                             GST_TYPE_STRUCTURE, GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

static void gst_kafka_sink_class_init(GstKafkaSinkClass* klass) {
  GST_DEBUG_CATEGORY_INIT(kafka_sink_debug, "kafkasink", 0, "Kafka sink");

  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = gst_kafka_sink_set_property;
  object->get_property = gst_kafka_sink_get_property;
  object->finalize = gst_kafka_sink_finalize;
  install_properties(object);
  gst_type_mark_as_plugin_api(GST_TYPE_KAFKA_SINK_DELIVERY, GstPluginAPIFlags(0));

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
  base_sink->event = gst_kafka_sink_event;
  base_sink->unlock = gst_kafka_sink_unlock;
  base_sink->unlock_stop = gst_kafka_sink_unlock_stop;
}
