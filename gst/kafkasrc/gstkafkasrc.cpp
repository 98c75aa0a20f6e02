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

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/complaint.h"
#include "common/glue/gstkafkaevents.h"
#include "common/glue/gstkafkauri.h"
#include "common/glue/guarded.h"
#include "common/glue/reporting_failure.h"
#include "frame_consumer.h"
#include "gap_report.h"
#include "gstframebuffer.h"
#include "gstframecaps.h"
#include "gstframetime.h"
#include "gstkafkasrcsettings.h"
#include "sequence_gaps.h"

GST_DEBUG_CATEGORY_STATIC(kafka_src_debug);
#define GST_CAT_DEFAULT kafka_src_debug

namespace {

constexpr gint64 kNsPerMs = 1'000'000;

/// Since the start, beside what the consumer counts.
struct Counts {
  std::atomic<guint64> messages_out{0}, bytes_out{0}, lost{0};
  std::atomic<guint64> dropped_empty{0}, dropped_unknown_version{0}, dropped_unknown_format{0}, malformed_headers{0};

  void reset() {
    for (auto* count : {&messages_out, &bytes_out, &lost, &dropped_empty, &dropped_unknown_version,
                        &dropped_unknown_format, &malformed_headers}) {
      *count = 0;
    }
  }
};

/// What runs between start and stop. Belongs to the streaming thread.
struct Running {
  gkv::FrameCaps caps{nullptr};
  gkv::FrameTime time{gkv::Timestamps::kArrival, true};
  gkv::SequenceGaps gaps;
  gkv::GapReport gap_report;
  std::uint64_t skipped = 0, lost = 0, rebalances = 0;          ///< as last seen of the consumer
  std::uint64_t unexplained_skips = 0, unexplained_losses = 0;  ///< no gap has shown them yet
  bool sought = false;
  gkv::Complaint dropped, malformed;
};

}  // namespace

struct KafkaSrcState {
  gkv::Guarded<gkv::KafkaSrcSettings> settings;
  Running running;
  Counts counts;
  gkv::Guarded<std::shared_ptr<gkv::FrameConsumer>> consumer;  ///< null while stopped
};

struct _GstKafkaSrc {
  GstPushSrc parent;
  KafkaSrcState* state;  ///< C++ members live here: new in init, delete in finalize.
};

G_DEFINE_TYPE_WITH_CODE(GstKafkaSrc, gst_kafka_src, GST_TYPE_PUSH_SRC,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER, gkv::kafka_uri_handler_init))
GST_ELEMENT_REGISTER_DEFINE(kafkasrc, "kafkasrc", GST_RANK_NONE, GST_TYPE_KAFKA_SRC)

/// What is wrong with the properties is told at once, and whether it is live must be known before it is started.
static GstStateChangeReturn gst_kafka_src_change_state(GstElement* element, GstStateChange transition) {
  const gkv::KafkaSrcSettings settings = GST_KAFKA_SRC(element)->state->settings.snapshot();
  if (transition == GST_STATE_CHANGE_NULL_TO_READY) {
    const bool possible = gkv::reporting_failure(element, false, [&] {
      gkv::FrameConsumer::check(settings.to_consumer_settings(element, GST_CAT_DEFAULT));
      return true;
    });
    if (!possible) return GST_STATE_CHANGE_FAILURE;
  }
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    gst_base_src_set_live(GST_BASE_SRC(element), settings.is_live());
    gst_base_src_set_do_timestamp(GST_BASE_SRC(element), settings.timestamps == gkv::Timestamps::kArrival);
  }
  return GST_ELEMENT_CLASS(gst_kafka_src_parent_class)->change_state(element, transition);
}

static gboolean gst_kafka_src_start(GstBaseSrc* src) {
  auto* state = GST_KAFKA_SRC(src)->state;
  return gkv::reporting_failure(src, gboolean{FALSE}, [&] {
    const gkv::KafkaSrcSettings settings = state->settings.snapshot();
    state->running =
        Running{.caps = gkv::FrameCaps(settings.caps), .time = gkv::FrameTime(settings.timestamps, settings.is_live())};
    *state->consumer.lock() =
        gkv::FrameConsumer::start(settings.to_consumer_settings(GST_ELEMENT(src), GST_CAT_DEFAULT),
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

static gboolean gst_kafka_src_is_seekable(GstBaseSrc* src) {
  return GST_KAFKA_SRC(src)->state->settings.lock()->is_seekable();
}

/// The stream time of a recording with capture times is Unix time. GstBaseSrc seeks once when it is started, to 0
/// unless the application has sought before.
static gboolean gst_kafka_src_do_seek(GstBaseSrc* src, GstSegment* segment) {
  auto* state = GST_KAFKA_SRC(src)->state;
  if (!std::exchange(state->running.sought, true) && segment->start == 0) return TRUE;
  return gkv::reporting_failure(src, gboolean{FALSE}, [&] {
    const auto consumer = state->consumer.snapshot();
    if (!consumer || segment->rate < 0 || !consumer->seek(gint64(segment->start) / kNsPerMs)) return gboolean{FALSE};
    state->running.time.begin_anew();
    state->running.gaps.forget();
    return gboolean{TRUE};
  });
}

static void complain(GstKafkaSrc* self, gkv::Complaint& complaint, const std::string& what, const std::string& detail) {
  GST_DEBUG_OBJECT(self, "%s %s", what.c_str(), detail.c_str());
  if (!complaint.count_one()) return;
  gkv::post_warning(self,
                    gkv::Failure(what + " " + std::to_string(complaint.count()) + " such messages so far.", detail));
}

static void complain_of_header(GstKafkaSrc* self, const std::string& what, const std::string& detail) {
  ++self->state->counts.malformed_headers;
  complain(self, self->state->running.malformed, what, detail);
}

enum class Negotiation { kDone, kSkipped, kRefused };

/// Tells downstream what the frame is, when that has changed.
/// @throws Failure for a frame that downstream does not take, and where not even the first one tells what it is
static Negotiation negotiate(GstKafkaSrc* self, const gkv::ReceivedFrame& frame, const std::string& caps_text) {
  KafkaSrcState& state = *self->state;
  const auto found = state.running.caps.find(GST_OBJECT(self), frame, caps_text);
  if (!found.malformed.empty()) {
    complain_of_header(self, "The header ce_caps of a message is malformed and was ignored.", found.malformed);
  }
  if (!found.caps) {
    if (state.counts.messages_out == 0) {
      throw gkv::Failure(
          "What the messages of the topic are is unknown: they have no caps header and look like nothing known; set "
          "the property caps.",
          "typefinding found nothing");
    }
    ++state.counts.dropped_unknown_format;
    complain(self, state.running.dropped, "A message of which nothing tells what it is was skipped.",
             "no caps, and typefinding found nothing");
    return Negotiation::kSkipped;
  }
  if (!found.changed) return Negotiation::kDone;
  if (!gst_pad_peer_query_accept_caps(GST_BASE_SRC_PAD(self), found.caps.get())) {
    gchar* text = gst_caps_to_string(found.caps.get());
    const std::string detail = text;
    g_free(text);
    throw gkv::Failure("The element behind kafkasrc does not take the frames of this topic, which are " +
                           std::string(gst_structure_get_name(gst_caps_get_structure(found.caps.get(), 0))) +
                           "; put what converts them between, such as jpegdec or jpegenc.",
                       detail);
  }
  return gst_base_src_set_caps(GST_BASE_SRC(self), found.caps.get()) ? Negotiation::kDone : Negotiation::kRefused;
}

using Outcome = gkv::FrameConsumer::Outcome;

/// The next message that is a frame.
static Outcome next_frame(GstKafkaSrc* self, gkv::FrameConsumer& consumer, std::optional<gkv::ReceivedFrame>& frame,
                          gkv::FrameHeaders& headers) {
  KafkaSrcState& state = *self->state;
  while (true) {
    const Outcome outcome = consumer.next(frame);
    if (outcome != Outcome::kFrame) return outcome;
    if (frame->payload().empty()) {
      ++state.counts.dropped_empty;
      complain(self, state.running.dropped, "A message without a value was skipped.", "tombstone or empty");
      continue;
    }
    const auto views = frame->headers();
    gkv::DecodedHeaders decoded = gkv::decode_headers(views, state.running.caps.last_text());
    if (!decoded.unknown_type.empty()) {
      ++state.counts.dropped_unknown_version;
      complain(self, state.running.dropped, "A message of another version was skipped; update this plugin.",
               "ce_type " + decoded.unknown_type);
      continue;
    }
    for (const std::string& problem : decoded.problems) {
      complain_of_header(self, "A malformed header of a message was ignored.", problem);
    }
    headers = std::move(decoded.headers);
    headers.info.position = frame->position();
    if (headers.info.source.empty()) headers.info.source = frame->key();
    return outcome;
  }
}

static void post_gap(GstKafkaSrc* self, const std::string& source, const gkv::Gap& gap) {
  gchar* valid = g_utf8_make_valid(source.c_str(), -1);
  GstStructure* structure = gst_structure_new("kafka-gap", "source", G_TYPE_STRING, valid, "skipped", G_TYPE_UINT64,
                                              guint64{gap.skipped}, "lost", G_TYPE_UINT64, guint64{gap.lost}, nullptr);
  g_free(valid);
  gst_element_post_message(GST_ELEMENT(self), gst_message_new_element(GST_OBJECT(self), structure));
}

/// Marks a frame that does not follow on the one before of its source, and tells how many are missing.
static void find_gap(GstKafkaSrc* self, gkv::FrameConsumer& consumer, GstBuffer* buffer, const gkv::FrameInfo& info) {
  Running& running = self->state->running;
  if (const auto rebalances = consumer.rebalances(); rebalances != running.rebalances) {
    running.rebalances = rebalances;  // other members read what is missing
    running.gaps.forget();
  }
  const std::uint64_t skipped = consumer.skipped();
  running.unexplained_skips += skipped - std::exchange(running.skipped, skipped);
  const std::uint64_t lost = consumer.lost();
  running.unexplained_losses += lost - std::exchange(running.lost, lost);
  if (!info.sequence || info.stream.empty()) return;
  gkv::Gap gap;
  if (const auto missing = running.gaps.missing_before(info.source, info.stream, *info.sequence)) {
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
    gap.skipped = std::min(missing, running.unexplained_skips);
    gap.lost = missing - gap.skipped;
    running.unexplained_skips -= gap.skipped;
    // What the consumer has seen deleted it has counted already.
    const std::uint64_t counted = std::min(gap.lost, running.unexplained_losses);
    running.unexplained_losses -= counted;
    self->state->counts.lost += gap.lost - counted;
  }
  if (const auto told = running.gap_report.add(info.source, gap, gkv::GapReport::Clock::now())) {
    post_gap(self, info.source, *told);
  }
}

static GstFlowReturn gst_kafka_src_create(GstPushSrc* src, GstBuffer** buffer) {
  auto* self = GST_KAFKA_SRC(src);
  return gkv::reporting_failure(src, GST_FLOW_ERROR, [&] {
    const auto consumer = self->state->consumer.snapshot();
    std::optional<gkv::ReceivedFrame> frame;
    gkv::FrameHeaders headers;
    auto negotiation = Negotiation::kSkipped;
    while (negotiation == Negotiation::kSkipped) {
      switch (next_frame(self, *consumer, frame, headers)) {
        case Outcome::kFrame: break;
        case Outcome::kFlushing: return GST_FLOW_FLUSHING;
        case Outcome::kFailed: return GST_FLOW_ERROR;
        case Outcome::kEnd: return GST_FLOW_EOS;
      }
      negotiation = negotiate(self, *frame, headers.caps);
    }
    if (negotiation == Negotiation::kRefused) {
      return GST_PAD_IS_FLUSHING(GST_BASE_SRC_PAD(src)) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
    }
    if (!frame->is_detached() && !frame->is_held()) consumer->hold(*frame);
    *buffer = gkv::to_buffer(std::move(*frame), headers);
    self->state->running.time.stamp(GST_BASE_SRC(src), *buffer, headers);
    find_gap(self, *consumer, *buffer, headers.info);
    ++self->state->counts.messages_out;
    self->state->counts.bytes_out += gst_buffer_get_size(*buffer);
    return GST_FLOW_OK;
  });
}

static GstCaps* gst_kafka_src_get_caps(GstBaseSrc* src, GstCaps* filter) {
  const auto caps = GST_KAFKA_SRC(src)->state->settings.lock()->caps;
  if (!caps) return GST_BASE_SRC_CLASS(gst_kafka_src_parent_class)->get_caps(src, filter);
  return filter ? gst_caps_intersect_full(filter, caps.get(), GST_CAPS_INTERSECT_FIRST) : gst_caps_ref(caps.get());
}

/// The broker keeps what downstream does not take yet: a sink may wait as long as it likes. Time stamps of other
/// clocks lie in the past by the frame's age, which sinks that synchronise must allow for.
static gboolean gst_kafka_src_query(GstBaseSrc* src, GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
    return GST_BASE_SRC_CLASS(gst_kafka_src_parent_class)->query(src, query);
  const gkv::KafkaSrcSettings settings = GST_KAFKA_SRC(src)->state->settings.snapshot();
  const bool by_arrival = settings.timestamps == gkv::Timestamps::kArrival || !settings.is_live();
  gst_query_set_latency(query, settings.is_live(), by_arrival ? 0 : settings.latency_ms * GST_MSECOND,
                        GST_CLOCK_TIME_NONE);
  return TRUE;
}

/// Caps are known with the first message, not before.
static gboolean gst_kafka_src_negotiate(GstBaseSrc*) { return TRUE; }

static GstStructure* stats(GstKafkaSrc* self) {
  const KafkaSrcState& state = *self->state;
  GstStructure* stats = gst_structure_new_empty("stats");
  const auto consumer = self->state->consumer.snapshot();
  const auto statistics = consumer ? consumer->statistics() : gkv::FrameConsumer::Statistics{};
  const auto& counts = statistics.counts;
  const auto set = [&](const char* name, guint64 value) {
    gst_structure_set(stats, name, G_TYPE_UINT64, value, nullptr);
  };
  set("messages-in", counts.messages);
  set("bytes-in", counts.bytes);
  set("messages-out", state.counts.messages_out);
  set("bytes-out", state.counts.bytes_out);
  set("dropped-skipped", counts.skipped);
  set("dropped-filtered", counts.filtered);
  set("dropped-empty", state.counts.dropped_empty);
  set("dropped-unknown-version", state.counts.dropped_unknown_version);
  set("dropped-unknown-format", state.counts.dropped_unknown_format);
  set("malformed-headers", state.counts.malformed_headers);
  set("messages-lost", counts.lost + state.counts.lost);
  set("bytes-held", statistics.bytes_held);
  set("max-bytes-held", self->state->settings.lock()->max_bytes_held);
  set("queue-messages", statistics.queue_messages);
  set("max-queue-bytes", statistics.max_queue_bytes);
  set("rebalances", counts.rebalances);
  if (statistics.since_last_message) set("since-last-message", guint64(statistics.since_last_message->count()));
  GstStructure* lag = gst_structure_new_empty("lag");
  for (const auto& [partition, messages] : statistics.lag) {
    gst_structure_set(lag, partition.c_str(), G_TYPE_INT64, gint64{messages}, nullptr);
  }
  gst_structure_set(stats, "lag", GST_TYPE_STRUCTURE, lag, nullptr);
  gst_structure_free(lag);
  gkv::add_client_stats(stats, statistics.connection, statistics.errors);
  return stats;
}

static void gst_kafka_src_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  GST_KAFKA_SRC(object)->state->settings.lock()->set_property(object, id, value, spec);
}

static void gst_kafka_src_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  auto* self = GST_KAFKA_SRC(object);
  if (id == gkv::KafkaSrcSettings::kStats) {
    g_value_take_boxed(value, stats(self));
  } else {
    self->state->settings.snapshot().get_property(object, id, value, spec);
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

static void gst_kafka_src_class_init(GstKafkaSrcClass* klass) {
  GST_DEBUG_CATEGORY_INIT(kafka_src_debug, "kafkasrc", 0, "Kafka source");

  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = gst_kafka_src_set_property;
  object->get_property = gst_kafka_src_get_property;
  object->finalize = gst_kafka_src_finalize;
  gkv::KafkaSrcSettings::install_properties(object);
  g_object_class_install_property(
      object, gkv::KafkaSrcSettings::kStats,
      g_param_spec_boxed("stats", "Statistics",
                         "Since the start: messages and bytes in and out, dropped by reason, lost, bytes "
                         "held, lag by partition (messages), since-last-message (ns), rebalances, errors, "
                         "reconnects, round-trip (ns)",
                         GST_TYPE_STRUCTURE, GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  for (const GType type : {GST_TYPE_KAFKA_SRC_MODE, GST_TYPE_KAFKA_SRC_STOP, GST_TYPE_KAFKA_SRC_ISOLATION,
                           GST_TYPE_KAFKA_SRC_COMMIT, GST_TYPE_KAFKA_SRC_TIMESTAMPS}) {
    gst_type_mark_as_plugin_api(type, GstPluginAPIFlags(0));
  }

  auto* element = GST_ELEMENT_CLASS(klass);
  element->change_state = gst_kafka_src_change_state;
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
  base_src->is_seekable = gst_kafka_src_is_seekable;
  base_src->do_seek = gst_kafka_src_do_seek;
  base_src->unlock = gst_kafka_src_unlock;
  base_src->unlock_stop = gst_kafka_src_unlock_stop;
  base_src->get_caps = gst_kafka_src_get_caps;
  base_src->query = gst_kafka_src_query;
  base_src->negotiate = gst_kafka_src_negotiate;
  GST_PUSH_SRC_CLASS(klass)->create = gst_kafka_src_create;
}
