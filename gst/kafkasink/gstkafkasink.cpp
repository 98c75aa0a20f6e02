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

#include "common/glue/gstkafkaevents.h"
#include "common/glue/gstkafkauri.h"
#include "common/glue/guarded.h"
#include "common/glue/reporting_failure.h"
#include "frame_producer.h"
#include "gstkafkasinkproperties.h"
#include "gstoutgoingframe.h"

GST_DEBUG_CATEGORY_STATIC(kafka_sink_debug);
#define GST_CAT_DEFAULT kafka_sink_debug

namespace {

/// What runs between start and stop. Belongs to the streaming thread.
struct Running {
  gkv::Delivery delivery = gkv::Delivery::kLive;
  std::chrono::milliseconds drain_timeout{0};
  gkv::FrameEncoder encoder{{}};
  bool warned_of_caps = false;
};

using Outcome = gkv::FrameProducer::Outcome;
using Settings = gkv::KafkaSinkSettings;

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
        gkv::FrameProducer::start(settings.to_producer_settings(GST_ELEMENT(sink), GST_CAT_DEFAULT),
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
  if (!GST_KAFKA_SINK(object)->state->settings.lock()->set_property(id, value)) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void gst_kafka_sink_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  if (id == Settings::kStats) {
    g_value_take_boxed(value, stats(GST_KAFKA_SINK(object)));
  } else if (!GST_KAFKA_SINK(object)->state->settings.snapshot().get_property(id, value)) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
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

static void gst_kafka_sink_class_init(GstKafkaSinkClass* klass) {
  GST_DEBUG_CATEGORY_INIT(kafka_sink_debug, "kafkasink", 0, "Kafka sink");

  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = gst_kafka_sink_set_property;
  object->get_property = gst_kafka_sink_get_property;
  object->finalize = gst_kafka_sink_finalize;
  Settings::install_properties(object);
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
