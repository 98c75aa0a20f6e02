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
#include "common/glue/gstkafkaconnection.h"
#include "common/glue/gstkafkaevents.h"
#include "common/glue/gstkafkauri.h"
#include "common/glue/guarded.h"
#include "common/glue/reporting_failure.h"
#include "frame_consumer.h"
#include "gap_report.h"
#include "gstframebuffer.h"
#include "gstframecaps.h"
#include "gstframetime.h"
#include "sequence_gaps.h"
#include "settings_text.h"

GST_DEBUG_CATEGORY_STATIC(kafka_src_debug);
#define GST_CAT_DEFAULT kafka_src_debug

namespace {

constexpr guint kDefaultCommitIntervalMs = 1000;
constexpr guint kDefaultMaxAgeMs = 2000;
constexpr guint64 kDefaultMaxBytesHeld = 64 * 1024 * 1024;
constexpr guint kDefaultLatencyMs = 200;
constexpr const char* kDefaultAssignor = "cooperative-sticky";
constexpr gint64 kNsPerMs = 1'000'000;

enum class Isolation { kReadUncommitted, kReadCommitted };

/// What the properties say; copied when the element starts.
struct Settings {
  gkv::KafkaConnection connection;
  std::string partitions, source_filter;
  std::optional<std::string> group_id, assignor;
  std::shared_ptr<GstCaps> caps;
  gkv::ReadMode mode = gkv::ReadMode::kLatestOffset;
  std::string start_offset = "auto", start_time;
  gkv::StopAt::Kind stop = gkv::StopAt::Kind::kNever;
  std::string stop_time;
  std::optional<Isolation> isolation;
  gkv::Commit commit = gkv::Commit::kInterval;
  guint commit_interval_ms = kDefaultCommitIntervalMs;
  guint max_age_ms = kDefaultMaxAgeMs;
  guint64 max_bytes_held = kDefaultMaxBytesHeld;
  gkv::Timestamps timestamps = gkv::Timestamps::kArrival;
  guint latency_ms = kDefaultLatencyMs;

  /// Every message with time stamps of its own is a recording, which sinks play at its pace.
  bool is_live() const { return mode == gkv::ReadMode::kLatestOffset || timestamps == gkv::Timestamps::kArrival; }
  bool is_seekable() const { return !is_live() && timestamps == gkv::Timestamps::kCapture && !group_id; }
};

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

enum Property {
  kPartitions = gkv::KafkaConnection::kFirstOwn,
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

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text ? text : "";
}

std::optional<std::string> optional_text(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text && *text ? std::optional<std::string>(text) : std::nullopt;
}

gkv::StartOffset start_offset(const Settings& settings) {
  gkv::StartOffset start = gkv::parse_start_offset(settings.start_offset);
  const bool by_time = start.kind == gkv::StartOffset::Kind::kTimestamp;
  if (by_time) start.time_ms = gkv::parse_time("start-time", settings.start_time);
  if (!by_time && !settings.start_time.empty()) {
    throw gkv::Failure(
        "The property start-time has a meaning only with start-offset=timestamp; set that, or unset it.");
  }
  return start;
}

gkv::StopAt stop_at(const Settings& settings) {
  const bool by_time = settings.stop == gkv::StopAt::Kind::kTime;
  if (!by_time && !settings.stop_time.empty()) {
    throw gkv::Failure("The property stop-time has a meaning only with stop=time; set that, or unset it.");
  }
  return {.kind = settings.stop, .time_ms = by_time ? gkv::parse_time("stop-time", settings.stop_time) : 0};
}

gkv::kafka::Config to_config(const Settings& settings, GstElement* element, GstDebugCategory* category) {
  gkv::kafka::Config config = settings.connection.to_config(element, category);
  const auto add = [&](const char* property, const char* key, const std::string& value) {
    config.user.push_back(gkv::from_property(property, {key, value}));
  };
  if (settings.group_id) add("group-id", "group.id", *settings.group_id);
  if (settings.assignor) add("assignor", "partition.assignment.strategy", *settings.assignor);
  if (settings.isolation) {
    const bool committed = *settings.isolation == Isolation::kReadCommitted;
    add("isolation-level", "isolation.level", committed ? "read_committed" : "read_uncommitted");
  }
  return config;
}

void check_assignor(const std::string& assignor) {
  for (const std::string& name : gkv::split(assignor)) {
    if (name != "cooperative-sticky" && name != "range" && name != "roundrobin") {
      throw gkv::Failure("There is no assignor \"" + name +
                         "\"; set the property assignor to cooperative-sticky, range or roundrobin.");
    }
  }
}

/// @throws Failure that names the property
gkv::FrameConsumer::Settings to_consumer_settings(const Settings& settings, GstElement* element,
                                                  GstDebugCategory* category) {
  if (settings.caps && !gst_caps_is_fixed(settings.caps.get())) {
    throw gkv::Failure(
        "The messages can have one format only, and the caps leave a choice; correct the property caps.");
  }
  check_assignor(settings.assignor.value_or(kDefaultAssignor));
  return {.config = to_config(settings, element, category),
          .topics = gkv::parse_topics(settings.connection.topic),
          .partitions = gkv::parse_partitions(settings.partitions),
          .mode = settings.mode,
          .start = start_offset(settings),
          .stop = stop_at(settings),
          .commit = settings.commit,
          .commit_interval = std::chrono::milliseconds(settings.commit_interval_ms),
          .max_age = std::chrono::milliseconds(settings.max_age_ms),
          .source_filter = gkv::split(settings.source_filter),
          .max_bytes_held = settings.max_bytes_held,
          .connect_timeout = std::chrono::milliseconds(settings.connection.timeout_ms)};
}

}  // namespace

struct KafkaSrcState {
  gkv::Guarded<Settings> settings;
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

GType gst_kafka_src_mode_get_type(void) {
  static const GEnumValue values[] = {
      {int(gkv::ReadMode::kLatestOffset), "Continuously the newest frame of each source; older ones are passed over",
       "latest-offset"},
      {int(gkv::ReadMode::kStream), "Every message", "stream"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstKafkaSrcMode", values);
  return type;
}

GType gst_kafka_src_stop_get_type(void) {
  static const GEnumValue values[] = {
      {int(gkv::StopAt::Kind::kNever), "Waits for more messages", "never"},
      {int(gkv::StopAt::Kind::kEnd), "At the end that each partition had at the start", "end"},
      {int(gkv::StopAt::Kind::kTime), "Before the first message of each partition from stop-time on", "time"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstKafkaSrcStop", values);
  return type;
}

GType gst_kafka_src_isolation_get_type(void) {
  static const GEnumValue values[] = {
      {int(Isolation::kReadUncommitted), "Also messages of transactions that are open or aborted", "read-uncommitted"},
      {int(Isolation::kReadCommitted), "Messages of committed transactions, and those outside of any",
       "read-committed"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstKafkaSrcIsolation", values);
  return type;
}

GType gst_kafka_src_commit_get_type(void) {
  static const GEnumValue values[] = {
      {int(gkv::Commit::kInterval), "What was pushed, once in each commit-interval", "interval"},
      {int(gkv::Commit::kPushed), "After each frame that was pushed", "pushed"},
      {int(gkv::Commit::kNone), "Never", "none"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstKafkaSrcCommit", values);
  return type;
}

GType gst_kafka_src_timestamps_get_type(void) {
  static const GEnumValue values[] = {
      {int(gkv::Timestamps::kArrival), "When the frame was read", "arrival"},
      {int(gkv::Timestamps::kOriginal), "Those of the pipeline that wrote the frame", "original"},
      {int(gkv::Timestamps::kCapture), "When the frame was captured", "capture"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstKafkaSrcTimestamps", values);
  return type;
}

/// What is wrong with the properties is told at once, and whether it is live must be known before it is started.
static GstStateChangeReturn gst_kafka_src_change_state(GstElement* element, GstStateChange transition) {
  const Settings settings = GST_KAFKA_SRC(element)->state->settings.snapshot();
  if (transition == GST_STATE_CHANGE_NULL_TO_READY) {
    const bool possible = gkv::reporting_failure(element, false, [&] {
      gkv::FrameConsumer::check(to_consumer_settings(settings, element, GST_CAT_DEFAULT));
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
    const Settings settings = state->settings.snapshot();
    state->running =
        Running{.caps = gkv::FrameCaps(settings.caps), .time = gkv::FrameTime(settings.timestamps, settings.is_live())};
    *state->consumer.lock() =
        gkv::FrameConsumer::start(to_consumer_settings(settings, GST_ELEMENT(src), GST_CAT_DEFAULT),
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
  const Settings settings = GST_KAFKA_SRC(src)->state->settings.snapshot();
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
  auto settings = GST_KAFKA_SRC(object)->state->settings.lock();
  if (settings->connection.set_property(id, value)) return;
  switch (id) {
    case kPartitions: settings->partitions = text_of(value); break;
    case kGroupId: settings->group_id = optional_text(value); break;
    case kMode: settings->mode = gkv::ReadMode(g_value_get_enum(value)); break;
    case kStartOffset: settings->start_offset = text_of(value); break;
    case kStartTime: settings->start_time = text_of(value); break;
    case kStop: settings->stop = gkv::StopAt::Kind(g_value_get_enum(value)); break;
    case kStopTime: settings->stop_time = text_of(value); break;
    case kIsolationLevel: settings->isolation = Isolation(g_value_get_enum(value)); break;
    case kAssignor: settings->assignor = optional_text(value); break;
    case kCommit: settings->commit = gkv::Commit(g_value_get_enum(value)); break;
    case kCommitInterval: settings->commit_interval_ms = g_value_get_uint(value); break;
    case kMaxAge: settings->max_age_ms = g_value_get_uint(value); break;
    case kCaps: {
      const GstCaps* caps = gst_value_get_caps(value);
      settings->caps = caps ? std::shared_ptr<GstCaps>(gst_caps_copy(caps), gst_caps_unref) : nullptr;
      break;
    }
    case kTimestamps: settings->timestamps = gkv::Timestamps(g_value_get_enum(value)); break;
    case kLatency: settings->latency_ms = g_value_get_uint(value); break;
    case kSourceFilter: settings->source_filter = text_of(value); break;
    case kMaxBytesHeld: settings->max_bytes_held = g_value_get_uint64(value); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void gst_kafka_src_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const Settings settings = GST_KAFKA_SRC(object)->state->settings.snapshot();
  if (settings.connection.get_property(id, value)) return;
  const auto set_optional = [&](const std::optional<std::string>& text, const char* otherwise) {
    g_value_set_string(value, text ? text->c_str() : otherwise);
  };
  switch (id) {
    case kPartitions: g_value_set_string(value, settings.partitions.c_str()); break;
    case kGroupId: set_optional(settings.group_id, nullptr); break;
    case kMode: g_value_set_enum(value, int(settings.mode)); break;
    case kStartOffset: g_value_set_string(value, settings.start_offset.c_str()); break;
    case kStartTime: g_value_set_string(value, settings.start_time.c_str()); break;
    case kStop: g_value_set_enum(value, int(settings.stop)); break;
    case kStopTime: g_value_set_string(value, settings.stop_time.c_str()); break;
    case kIsolationLevel: g_value_set_enum(value, int(settings.isolation.value_or(Isolation::kReadCommitted))); break;
    case kAssignor: set_optional(settings.assignor, kDefaultAssignor); break;
    case kCommit: g_value_set_enum(value, int(settings.commit)); break;
    case kCommitInterval: g_value_set_uint(value, settings.commit_interval_ms); break;
    case kMaxAge: g_value_set_uint(value, settings.max_age_ms); break;
    case kCaps: gst_value_set_caps(value, settings.caps.get()); break;
    case kTimestamps: g_value_set_enum(value, int(settings.timestamps)); break;
    case kLatency: g_value_set_uint(value, settings.latency_ms); break;
    case kSourceFilter: g_value_set_string(value, settings.source_filter.c_str()); break;
    case kMaxBytesHeld: g_value_set_uint64(value, settings.max_bytes_held); break;
    case kStats: g_value_take_boxed(value, stats(GST_KAFKA_SRC(object))); break;
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
  const auto install = [&](Property id, GParamSpec* spec) { g_object_class_install_property(object, id, spec); };
  gkv::KafkaConnection::install_properties(object,
                                           "Topics to read (required): one, several with commas between, or a regular "
                                           "expression that begins with ^",
                                           kFlags);
  install(kPartitions,
          g_param_spec_string("partitions", "Partitions",
                              "Partitions to read, such as 0,2-4 (none: all). Not with group-id", nullptr, kFlags));
  install(kGroupId, g_param_spec_string("group-id", "Group id",
                                        "Consumer group whose members share the partitions (none: no group, this "
                                        "element reads all partitions)",
                                        nullptr, kFlags));
  install(kMode, g_param_spec_enum("mode", "Mode", "Which messages are read", GST_TYPE_KAFKA_SRC_MODE,
                                   int(gkv::ReadMode::kLatestOffset), kFlags));
  install(kStartOffset,
          g_param_spec_string("start-offset", "Start offset",
                              "Where reading starts: latest, earliest, committed (by the group), "
                              "timestamp (see start-time), a number (an offset; negative: so many "
                              "messages before the end), or auto: committed with group-id in mode=stream, "
                              "else latest",
                              "auto", kFlags));
  install(kStartTime, g_param_spec_string("start-time", "Start time",
                                          "For start-offset=timestamp: read messages with this timestamp or a later "
                                          "one, such as 2026-11-23T03:21:46Z",
                                          nullptr, kFlags));
  install(kStop, g_param_spec_enum("stop", "Stop", "Where reading ends, with EOS", GST_TYPE_KAFKA_SRC_STOP,
                                   int(gkv::StopAt::Kind::kNever), kFlags));
  install(kStopTime, g_param_spec_string("stop-time", "Stop time", "For stop=time, such as 2026-11-23T03:21:46Z",
                                         nullptr, kFlags));
  install(kIsolationLevel,
          g_param_spec_enum("isolation-level", "Isolation level", "Which messages of transactions are read",
                            GST_TYPE_KAFKA_SRC_ISOLATION, int(Isolation::kReadCommitted), kFlags));
  install(kAssignor, g_param_spec_string("assignor", "Assignor",
                                         "How a consumer group shares the partitions: cooperative-sticky, range or "
                                         "roundrobin, several with commas between; all members must have one in common",
                                         kDefaultAssignor, kFlags));
  install(kCommit, g_param_spec_enum("commit", "Commit", "When the group's offsets are committed",
                                     GST_TYPE_KAFKA_SRC_COMMIT, int(gkv::Commit::kInterval), kFlags));
  install(kCommitInterval, g_param_spec_uint("commit-interval", "Commit interval",
                                             "Time between two commits with commit=interval, in ms", 1, G_MAXINT,
                                             kDefaultCommitIntervalMs, kFlags));
  install(kMaxAge, g_param_spec_uint("max-age", "Maximum age",
                                     "In mode=latest-offset, when the pipeline or the network cannot keep up: how far "
                                     "back each source's newest frame is looked for, in ms",
                                     1, G_MAXINT, kDefaultMaxAgeMs, kFlags));
  install(kCaps, g_param_spec_boxed("caps", "Caps",
                                    "What the messages are, for those whose headers don't say it, e.g. image/jpeg "
                                    "(none: found from the first message)",
                                    GST_TYPE_CAPS, kFlags));
  install(kTimestamps, g_param_spec_enum("timestamps", "Timestamps",
                                         "What the buffers' time stamps are. In mode=stream, original and capture make "
                                         "the stream a recording, which is not live",
                                         GST_TYPE_KAFKA_SRC_TIMESTAMPS, int(gkv::Timestamps::kArrival), kFlags));
  install(kLatency, g_param_spec_uint("latency", "Latency",
                                      "Age up to which a frame is shown in time by sinks that synchronise, in ms, for "
                                      "a live stream with timestamps=original or capture",
                                      0, G_MAXINT, kDefaultLatencyMs, kFlags));
  install(kSourceFilter, g_param_spec_string("source-filter", "Source filter",
                                             "Source ids to take, with commas between and * and ? as wildcards (none: "
                                             "all)",
                                             nullptr, kFlags));
  install(kMaxBytesHeld,
          g_param_spec_uint64("max-bytes-held", "Maximum bytes held",
                              "Bytes of fetched messages that buffers may keep in memory without a copy; "
                              "above it frames are copied",
                              0, G_MAXUINT64, kDefaultMaxBytesHeld, kFlags));
  install(kStats, g_param_spec_boxed("stats", "Statistics",
                                     "Since the start: messages and bytes in and out, dropped by reason, lost, bytes "
                                     "held, lag by partition (messages), since-last-message (ns), rebalances, errors, "
                                     "reconnects, round-trip (ns)",
                                     GST_TYPE_STRUCTURE, GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

static void gst_kafka_src_class_init(GstKafkaSrcClass* klass) {
  GST_DEBUG_CATEGORY_INIT(kafka_src_debug, "kafkasrc", 0, "Kafka source");

  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = gst_kafka_src_set_property;
  object->get_property = gst_kafka_src_get_property;
  object->finalize = gst_kafka_src_finalize;
  install_properties(object);
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
