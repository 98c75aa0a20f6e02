#include "gstkafkasrcsettings.h"

#include <utility>

#include "common/failure.h"
#include "common/glue/property_text.h"
#include "settings_text.h"

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
      {int(gkv::KafkaSrcSettings::Isolation::kReadUncommitted),
       "Also messages of transactions that are open or aborted", "read-uncommitted"},
      {int(gkv::KafkaSrcSettings::Isolation::kReadCommitted),
       "Messages of committed transactions, and those outside of any", "read-committed"},
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

namespace gkv {
namespace {

constexpr const char* kDefaultAssignor = "cooperative-sticky";

std::optional<std::string> optional_text(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text && *text ? std::optional<std::string>(text) : std::nullopt;
}

StartOffset start_of(const KafkaSrcSettings& settings) {
  StartOffset start = parse_start_offset(settings.start_offset);
  const bool by_time = start.kind == StartOffset::Kind::kTimestamp;
  if (by_time) start.time_ms = parse_time("start-time", settings.start_time);
  if (!by_time && !settings.start_time.empty()) {
    throw Failure("The property start-time has a meaning only with start-offset=timestamp; set that, or unset it.");
  }
  return start;
}

StopAt stop_at(const KafkaSrcSettings& settings) {
  const bool by_time = settings.stop == StopAt::Kind::kTime;
  if (!by_time && !settings.stop_time.empty()) {
    throw Failure("The property stop-time has a meaning only with stop=time; set that, or unset it.");
  }
  return {.kind = settings.stop, .time_ms = by_time ? parse_time("stop-time", settings.stop_time) : 0};
}

kafka::Config to_config(const KafkaSrcSettings& settings, GstElement* element, GstDebugCategory* category) {
  kafka::Config config = settings.connection.to_config(element, category);
  const auto add = [&](const char* property, const char* key, const std::string& value) {
    config.user.push_back(from_property(property, {key, value}));
  };
  if (settings.group_id) add("group-id", "group.id", *settings.group_id);
  if (settings.assignor) add("assignor", "partition.assignment.strategy", *settings.assignor);
  if (settings.isolation) {
    const bool committed = *settings.isolation == KafkaSrcSettings::Isolation::kReadCommitted;
    add("isolation-level", "isolation.level", committed ? "read_committed" : "read_uncommitted");
  }
  return config;
}

void check_assignor(const std::string& assignor) {
  for (const std::string& name : split(assignor)) {
    if (name != "cooperative-sticky" && name != "range" && name != "roundrobin") {
      throw Failure("There is no assignor \"" + name +
                    "\"; set the property assignor to cooperative-sticky, range or roundrobin.");
    }
  }
}

}  // namespace

FrameConsumer::Settings KafkaSrcSettings::to_consumer_settings(GstElement* element, GstDebugCategory* category) const {
  if (caps && !gst_caps_is_fixed(caps.get())) {
    throw Failure("The messages can have one format only, and the caps leave a choice; correct the property caps.");
  }
  check_assignor(assignor.value_or(kDefaultAssignor));
  return {.config = to_config(*this, element, category),
          .topics = parse_topics(connection.topic),
          .partitions = parse_partitions(partitions),
          .mode = mode,
          .start = start_of(*this),
          .stop = stop_at(*this),
          .commit = commit,
          .commit_interval = std::chrono::milliseconds(commit_interval_ms),
          .max_age = std::chrono::milliseconds(max_age_ms),
          .source_filter = split(source_filter),
          .max_bytes_held = max_bytes_held,
          .connect_timeout = std::chrono::milliseconds(connection.timeout_ms)};
}

void KafkaSrcSettings::set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  if (connection.set_property(id, value)) return;
  switch (id) {
    case kPartitions: partitions = text_of(value); break;
    case kGroupId: group_id = optional_text(value); break;
    case kMode: mode = ReadMode(g_value_get_enum(value)); break;
    case kStartOffset: start_offset = text_of(value); break;
    case kStartTime: start_time = text_of(value); break;
    case kStop: stop = StopAt::Kind(g_value_get_enum(value)); break;
    case kStopTime: stop_time = text_of(value); break;
    case kIsolationLevel: isolation = Isolation(g_value_get_enum(value)); break;
    case kAssignor: assignor = optional_text(value); break;
    case kCommit: commit = Commit(g_value_get_enum(value)); break;
    case kCommitInterval: commit_interval_ms = g_value_get_uint(value); break;
    case kMaxAge: max_age_ms = g_value_get_uint(value); break;
    case kCaps: {
      const GstCaps* set = gst_value_get_caps(value);
      caps = set ? std::shared_ptr<GstCaps>(gst_caps_copy(set), gst_caps_unref) : nullptr;
      break;
    }
    case kTimestamps: timestamps = Timestamps(g_value_get_enum(value)); break;
    case kLatency: latency_ms = g_value_get_uint(value); break;
    case kSourceFilter: source_filter = text_of(value); break;
    case kMaxBytesHeld: max_bytes_held = g_value_get_uint64(value); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void KafkaSrcSettings::get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) const {
  if (connection.get_property(id, value)) return;
  const auto set_optional = [&](const std::optional<std::string>& text, const char* otherwise) {
    g_value_set_string(value, text ? text->c_str() : otherwise);
  };
  switch (id) {
    case kPartitions: g_value_set_string(value, partitions.c_str()); break;
    case kGroupId: set_optional(group_id, nullptr); break;
    case kMode: g_value_set_enum(value, int(mode)); break;
    case kStartOffset: g_value_set_string(value, start_offset.c_str()); break;
    case kStartTime: g_value_set_string(value, start_time.c_str()); break;
    case kStop: g_value_set_enum(value, int(stop)); break;
    case kStopTime: g_value_set_string(value, stop_time.c_str()); break;
    case kIsolationLevel: g_value_set_enum(value, int(isolation.value_or(Isolation::kReadCommitted))); break;
    case kAssignor: set_optional(assignor, kDefaultAssignor); break;
    case kCommit: g_value_set_enum(value, int(commit)); break;
    case kCommitInterval: g_value_set_uint(value, commit_interval_ms); break;
    case kMaxAge: g_value_set_uint(value, max_age_ms); break;
    case kCaps: gst_value_set_caps(value, caps.get()); break;
    case kTimestamps: g_value_set_enum(value, int(timestamps)); break;
    case kLatency: g_value_set_uint(value, latency_ms); break;
    case kSourceFilter: g_value_set_string(value, source_filter.c_str()); break;
    case kMaxBytesHeld: g_value_set_uint64(value, max_bytes_held); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void KafkaSrcSettings::install_properties(GObjectClass* klass) {
  constexpr auto kFlags = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  const auto install = [&](Property id, GParamSpec* spec) { g_object_class_install_property(klass, id, spec); };
  KafkaConnection::install_properties(klass,
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
                                   int(ReadMode::kLatestOffset), kFlags));
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
                                   int(StopAt::Kind::kNever), kFlags));
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
                                     GST_TYPE_KAFKA_SRC_COMMIT, int(Commit::kInterval), kFlags));
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
                                         GST_TYPE_KAFKA_SRC_TIMESTAMPS, int(Timestamps::kArrival), kFlags));
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
}

}  // namespace gkv
