/**
 * SECTION:element-kafkasrc
 *
 * Reads each message of an Apache Kafka topic as one buffer. What the frame is comes from the message's headers, as
 * kafkasink writes them; for messages of other producers from the property caps, else from a look at the first message.
 *
 * ## Example
 * |[
 * gst-launch-1.0 kafkasrc bootstrap-servers=localhost:9092 topic=videocam ! jpegdec ! videoconvert ! autovideosink
 * ]|
 */
#include "gstkafkasrc.h"

#include <gst/base/gsttypefindhelper.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/complaint.h"
#include "common/frame/gstframemeta.h"
#include "common/frame/headers.h"
#include "common/glue/gstkafkaconnection.h"
#include "common/glue/gstkafkaevents.h"
#include "common/glue/gstkafkauri.h"
#include "common/glue/guarded.h"
#include "common/glue/reporting_failure.h"
#include "frame_consumer.h"
#include "gstframebuffer.h"

GST_DEBUG_CATEGORY_STATIC(kafka_src_debug);
#define GST_CAT_DEFAULT kafka_src_debug

namespace {

struct CapsUnref {
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
};
using CapsPtr = std::unique_ptr<GstCaps, CapsUnref>;

/// What the properties say; copied when the element starts.
struct Settings {
  gkv::KafkaConnection connection;
  std::string group_id;
  std::shared_ptr<GstCaps> caps;
  gkv::ReadMode mode = gkv::ReadMode::kLatestOffset;
  gkv::StartOffset start_offset = gkv::StartOffset::kAuto;
};

/// What runs between start and stop. Belongs to the streaming thread.
struct Running {
  std::shared_ptr<GstCaps> caps_property;
  std::optional<std::string> caps_text;  ///< of the caps downstream has; empty text: they came from elsewhere
  gkv::Complaint skipped, malformed;
};

enum Property { kGroupId = gkv::KafkaConnection::kFirstOwn, kCaps, kMode, kStartOffset };

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text ? text : "";
}

}  // namespace

struct KafkaSrcState {
  gkv::Guarded<Settings> settings;
  Running running;
  gkv::Guarded<std::shared_ptr<gkv::FrameConsumer>> consumer;  ///< null while stopped
};

struct _GstKafkaSrc {
  GstPushSrc parent;
  KafkaSrcState* state;  ///< C++ members live here: new in init, delete in finalize.
};

G_DEFINE_TYPE_WITH_CODE(GstKafkaSrc, gst_kafka_src, GST_TYPE_PUSH_SRC,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER, gkv::kafka_uri_handler_init))
GST_ELEMENT_REGISTER_DEFINE(kafkasrc, "kafkasrc", GST_RANK_NONE, GST_TYPE_KAFKA_SRC)

GType gst_kafka_src_mode_get_type(void) {
  static const GEnumValue values[] = {
      {int(gkv::ReadMode::kLatestOffset), "Continuously the newest frame of each source; older ones are passed over",
       "latest-offset"},
      {int(gkv::ReadMode::kStream), "Every message", "stream"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstKafkaSrcMode", values);
  return type;
}

GType gst_kafka_src_start_offset_get_type(void) {
  static const GEnumValue values[] = {
      {int(gkv::StartOffset::kAuto), "With group-id in mode=stream as committed, else as latest", "auto"},
      {int(gkv::StartOffset::kLatest), "Messages that come from now on", "latest"},
      {int(gkv::StartOffset::kEarliest), "The oldest message that the broker still has", "earliest"},
      {int(gkv::StartOffset::kCommitted), "Where the consumer group stopped; earliest if it never read", "committed"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstKafkaSrcStartOffset", values);
  return type;
}

static gboolean gst_kafka_src_start(GstBaseSrc* src) {
  auto* state = GST_KAFKA_SRC(src)->state;
  return gkv::reporting_failure(src, gboolean{FALSE}, [&] {
    const Settings settings = state->settings.snapshot();
    if (settings.start_offset == gkv::StartOffset::kCommitted && settings.group_id.empty()) {
      throw gkv::Failure(
          "Without a consumer group there is no committed offset; set the property group-id or another "
          "start-offset.");
    }
    if (settings.caps && !gst_caps_is_fixed(settings.caps.get())) {
      throw gkv::Failure(
          "The messages can have one format only, and the caps leave a choice; correct the property caps.");
    }
    state->running = Running{.caps_property = settings.caps};
    *state->consumer.lock() = gkv::FrameConsumer::start(
        gkv::FrameConsumer::Settings{.config = settings.connection.to_config(GST_ELEMENT(src), GST_CAT_DEFAULT),
                                     .topic = settings.connection.topic,
                                     .group_id = settings.group_id,
                                     .mode = settings.mode,
                                     .start_offset = settings.start_offset,
                                     .connect_timeout = std::chrono::milliseconds(settings.connection.timeout_ms)},
        gkv::bus_events(GST_ELEMENT(src), GST_CAT_DEFAULT));
    return gboolean{TRUE};
  });
}

static gboolean gst_kafka_src_stop(GstBaseSrc* src) {
  const auto consumer = std::exchange(*GST_KAFKA_SRC(src)->state->consumer.lock(), nullptr);
  if (consumer) consumer->stop();
  return TRUE;
}

static void set_flushing(GstBaseSrc* src, bool flushing) {
  const auto consumer = GST_KAFKA_SRC(src)->state->consumer.snapshot();
  if (consumer) consumer->set_flushing(flushing);
}

static gboolean gst_kafka_src_unlock(GstBaseSrc* src) {
  set_flushing(src, true);
  return TRUE;
}

static gboolean gst_kafka_src_unlock_stop(GstBaseSrc* src) {
  set_flushing(src, false);
  return TRUE;
}

static void complain(GstKafkaSrc* self, gkv::Complaint& complaint, const std::string& what, const std::string& detail) {
  GST_DEBUG_OBJECT(self, "%s %s", what.c_str(), detail.c_str());
  if (!complaint.count_one()) return;
  gkv::post_warning(self,
                    gkv::Failure(what + " " + std::to_string(complaint.count()) + " such messages so far.", detail));
}

/// @return caps of a message without any in its headers, or null
static CapsPtr guessed_caps(GstKafkaSrc* self, const gkv::ReceivedFrame& frame) {
  if (self->state->running.caps_property) return CapsPtr(gst_caps_ref(self->state->running.caps_property.get()));
  const auto payload = frame.payload();
  return CapsPtr(gst_type_find_helper_for_data(GST_OBJECT(self), reinterpret_cast<const guint8*>(payload.data()),
                                               payload.size(), nullptr));
}

/// Tells downstream what the frame is, when that has changed. The caps text is compared first: nothing is parsed while
/// it stays the same.
static bool negotiate(GstKafkaSrc* self, const gkv::ReceivedFrame& frame, const std::string& caps_text) {
  Running& running = self->state->running;
  if (running.caps_text == caps_text) return true;
  CapsPtr caps;
  if (!caps_text.empty()) {
    caps.reset(gst_caps_from_string(caps_text.c_str()));
    if (!caps || !gst_caps_is_fixed(caps.get())) {
      complain(self, running.malformed, "The header ce_caps of a message is malformed and was ignored.", caps_text);
      caps.reset();
    }
  }
  if (!caps) caps = guessed_caps(self, frame);
  if (!caps) {
    throw gkv::Failure(
        "What the messages of the topic are is unknown: they have no caps header and look like nothing "
        "known; set the property caps.",
        "typefinding found nothing");
  }
  if (!gst_pad_peer_query_accept_caps(GST_BASE_SRC_PAD(self), caps.get())) {
    gchar* text = gst_caps_to_string(caps.get());
    const std::string detail = text;
    g_free(text);
    throw gkv::Failure("The element behind kafkasrc does not take the frames of this topic, which are " +
                           std::string(gst_structure_get_name(gst_caps_get_structure(caps.get(), 0))) +
                           "; put what converts them between, such as jpegdec or jpegenc.",
                       detail);
  }
  if (!gst_base_src_set_caps(GST_BASE_SRC(self), caps.get())) return false;
  running.caps_text = caps_text;
  return true;
}

/// @return the next message that is a frame; nullopt when there is none to come
static std::optional<std::pair<gkv::ReceivedFrame, gkv::FrameHeaders>> next_frame(GstKafkaSrc* self,
                                                                                  gkv::FrameConsumer& consumer) {
  Running& running = self->state->running;
  while (auto frame = consumer.next()) {
    if (frame->payload().empty()) {
      complain(self, running.skipped, "A message without a value was skipped.", "tombstone or empty");
      continue;
    }
    const auto views = frame->headers();
    gkv::DecodedHeaders decoded = gkv::decode_headers(views);
    if (!decoded.unknown_type.empty()) {
      complain(self, running.skipped, "A message of another version was skipped; update this plugin.",
               "ce_type " + decoded.unknown_type);
      continue;
    }
    for (const std::string& problem : decoded.problems) {
      complain(self, running.malformed, "A malformed header of a message was ignored.", problem);
    }
    return std::pair(std::move(*frame), std::move(decoded.headers));
  }
  return std::nullopt;
}

static GstFlowReturn gst_kafka_src_create(GstPushSrc* src, GstBuffer** buffer) {
  auto* self = GST_KAFKA_SRC(src);
  return gkv::reporting_failure(src, GST_FLOW_ERROR, [&] {
    const auto consumer = self->state->consumer.snapshot();
    auto next = next_frame(self, *consumer);
    if (!next) return consumer->failed() ? GST_FLOW_ERROR : GST_FLOW_FLUSHING;
    auto& [frame, headers] = *next;
    if (!negotiate(self, frame, headers.caps)) {
      return GST_PAD_IS_FLUSHING(GST_BASE_SRC_PAD(src)) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
    }
    const bool hold = consumer->may_be_held(frame);
    *buffer = gkv::to_buffer(std::move(frame), std::move(headers), hold);
    return GST_FLOW_OK;
  });
}

static GstCaps* gst_kafka_src_get_caps(GstBaseSrc* src, GstCaps* filter) {
  const auto caps = GST_KAFKA_SRC(src)->state->settings.lock()->caps;
  if (!caps) return GST_BASE_SRC_CLASS(gst_kafka_src_parent_class)->get_caps(src, filter);
  return filter ? gst_caps_intersect_full(filter, caps.get(), GST_CAPS_INTERSECT_FIRST) : gst_caps_ref(caps.get());
}

/// The broker keeps what downstream does not take yet: a sink may wait as long as it likes.
static gboolean gst_kafka_src_query(GstBaseSrc* src, GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
    return GST_BASE_SRC_CLASS(gst_kafka_src_parent_class)->query(src, query);
  gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

/// Caps are known with the first message, not before.
static gboolean gst_kafka_src_negotiate(GstBaseSrc*) { return TRUE; }

static void gst_kafka_src_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  auto settings = GST_KAFKA_SRC(object)->state->settings.lock();
  if (settings->connection.set_property(id, value)) return;
  switch (id) {
    case kGroupId: settings->group_id = text_of(value); break;
    case kCaps: {
      const GstCaps* caps = gst_value_get_caps(value);
      settings->caps = caps ? std::shared_ptr<GstCaps>(gst_caps_copy(caps), gst_caps_unref) : nullptr;
      break;
    }
    case kMode: settings->mode = gkv::ReadMode(g_value_get_enum(value)); break;
    case kStartOffset: settings->start_offset = gkv::StartOffset(g_value_get_enum(value)); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void gst_kafka_src_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const Settings settings = GST_KAFKA_SRC(object)->state->settings.snapshot();
  if (settings.connection.get_property(id, value)) return;
  switch (id) {
    case kGroupId: g_value_set_string(value, settings.group_id.c_str()); break;
    case kCaps: gst_value_set_caps(value, settings.caps.get()); break;
    case kMode: g_value_set_enum(value, int(settings.mode)); break;
    case kStartOffset: g_value_set_enum(value, int(settings.start_offset)); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void gst_kafka_src_init(GstKafkaSrc* self) {
  self->state = new KafkaSrcState;
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
  gst_base_src_set_do_timestamp(GST_BASE_SRC(self), TRUE);
}

static void gst_kafka_src_finalize(GObject* object) {
  delete GST_KAFKA_SRC(object)->state;
  G_OBJECT_CLASS(gst_kafka_src_parent_class)->finalize(object);
}

static void install_properties(GObjectClass* object) {
  constexpr auto kFlags = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  gkv::KafkaConnection::install_properties(object, "Topic to read (required)", kFlags);
  const auto install = [&](Property id, GParamSpec* spec) { g_object_class_install_property(object, id, spec); };
  install(kGroupId, g_param_spec_string("group-id", "Group id",
                                        "Consumer group whose members share the partitions (empty: no group, this "
                                        "element reads all partitions)",
                                        nullptr, kFlags));
  install(kCaps, g_param_spec_boxed("caps", "Caps",
                                    "What the messages are, for those whose headers don't say it, e.g. image/jpeg "
                                    "(none: found from the first message)",
                                    GST_TYPE_CAPS, kFlags));
  install(kMode, g_param_spec_enum("mode", "Mode", "Which messages are read", GST_TYPE_KAFKA_SRC_MODE,
                                   int(gkv::ReadMode::kLatestOffset), kFlags));
  install(kStartOffset, g_param_spec_enum("start-offset", "Start offset", "Where reading starts",
                                          GST_TYPE_KAFKA_SRC_START_OFFSET, int(gkv::StartOffset::kAuto), kFlags));
}

static void gst_kafka_src_class_init(GstKafkaSrcClass* klass) {
  GST_DEBUG_CATEGORY_INIT(kafka_src_debug, "kafkasrc", 0, "Kafka source");

  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = gst_kafka_src_set_property;
  object->get_property = gst_kafka_src_get_property;
  object->finalize = gst_kafka_src_finalize;
  install_properties(object);
  gst_type_mark_as_plugin_api(GST_TYPE_KAFKA_SRC_MODE, GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(GST_TYPE_KAFKA_SRC_START_OFFSET, GstPluginAPIFlags(0));

  auto* element = GST_ELEMENT_CLASS(klass);
  static GstStaticPadTemplate src = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  gst_element_class_add_static_pad_template(element, &src);
  gst_element_class_set_static_metadata(
      element, "Kafka source", "Source/Network",
      "Reads each message of an Apache Kafka topic as one buffer, e.g. kafkasrc bootstrap-servers=localhost:9092 "
      "topic=videocam ! jpegdec ! videoconvert ! autovideosink",
      "gst-kafka-vision contributors");

  auto* base_src = GST_BASE_SRC_CLASS(klass);
  base_src->start = gst_kafka_src_start;
  base_src->stop = gst_kafka_src_stop;
  base_src->unlock = gst_kafka_src_unlock;
  base_src->unlock_stop = gst_kafka_src_unlock_stop;
  base_src->get_caps = gst_kafka_src_get_caps;
  base_src->query = gst_kafka_src_query;
  base_src->negotiate = gst_kafka_src_negotiate;
  GST_PUSH_SRC_CLASS(klass)->create = gst_kafka_src_create;
}
