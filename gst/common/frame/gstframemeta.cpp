#include "common/frame/gstframemeta.h"

#include <atomic>
#include <utility>

namespace gkv {
namespace {

/// Encoders and converters copy a custom meta without tags, whatever they change in the picture.
void register_meta(const char* name) {
  if (gst_meta_get_info(name)) return;
  static const gchar* no_tags[] = {nullptr};
  gst_meta_register_custom(name, no_tags, nullptr, nullptr, nullptr);
}

const GstStructure* structure_of(GstBuffer* buffer, const char* name) {
  GstCustomMeta* meta = gst_buffer_get_custom_meta(buffer, name);
  return meta ? gst_custom_meta_get_structure(meta) : nullptr;
}

/// The meta's structure, emptied.
GstStructure* fresh_structure(GstBuffer* buffer, const char* name) {
  register_meta(name);
  GstCustomMeta* meta = gst_buffer_get_custom_meta(buffer, name);
  if (!meta) meta = gst_buffer_add_custom_meta(buffer, name);
  GstStructure* structure = gst_custom_meta_get_structure(meta);
  gst_structure_remove_all_fields(structure);
  return structure;
}

std::string text_of(const GstStructure* structure, const char* field) {
  const gchar* text = gst_structure_get_string(structure, field);
  return text ? text : "";
}

std::uint64_t uint64_of(const GstStructure* structure, const char* field, std::uint64_t otherwise) {
  guint64 value = otherwise;
  gst_structure_get_uint64(structure, field, &value);
  return value;
}

/// GstStructure takes UTF-8 only; what is not becomes U+FFFD.
void set_string(GstStructure* structure, const char* field, const std::string& text) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, G_TYPE_STRING);
  g_value_take_string(&value, g_utf8_make_valid(text.c_str(), -1));
  gst_structure_take_value(structure, field, &value);
}

void set_text(GstStructure* structure, const char* field, const std::string& text) {
  if (!text.empty()) set_string(structure, field, text);
}

/// Appends a structure to an array and takes it over.
void append(GValue* array, GstStructure* structure) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed(&value, structure);
  gst_value_array_append_and_take_value(array, &value);
}

/// Calls `visit` with each structure of an array field; other elements of the array are passed over.
template <typename Visit>
void for_each_structure(const GstStructure* structure, const char* field, Visit&& visit) {
  const GValue* array = gst_structure_get_value(structure, field);
  if (!array || !GST_VALUE_HOLDS_ARRAY(array)) return;
  for (guint i = 0; i < gst_value_array_get_size(array); ++i) {
    const GValue* value = gst_value_array_get_value(array, i);
    if (GST_VALUE_HOLDS_STRUCTURE(value)) visit(gst_value_get_structure(value));
  }
}

void set_scored(GstStructure* structure, int class_id, double confidence) {
  gst_structure_set(structure, "class-id", G_TYPE_INT, class_id, "confidence", G_TYPE_DOUBLE, confidence, nullptr);
}

ScoredLabel to_scored_label(const GstStructure* structure) {
  ScoredLabel scored{.label = text_of(structure, "label")};
  gst_structure_get_int(structure, "class-id", &scored.class_id);
  gst_structure_get_double(structure, "confidence", &scored.confidence);
  return scored;
}

Classification to_classification(const GstStructure* structure) {
  const ScoredLabel best = to_scored_label(structure);
  Classification result{.model = text_of(structure, "model"),
                        .version = text_of(structure, "version"),
                        .class_id = best.class_id,
                        .confidence = best.confidence,
                        .captured_ns = uint64_of(structure, "captured", 0),
                        .took_ns = uint64_of(structure, "took", 0)};
  if (gst_structure_has_field(structure, "label")) result.label = best.label;
  for_each_structure(structure, "top",
                     [&](const GstStructure* scored) { result.top.push_back(to_scored_label(scored)); });
  return result;
}

/// A name in a GstStructure is kept until the process ends: names that nobody vouches for are bounded in number.
bool may_name_a_field(const std::string& name) {
  static std::atomic<std::size_t> names{0};
  return g_quark_try_string(name.c_str()) != 0 || names++ < kMostHeaderNames;
}

/// A header's value as a string where it is text, else as a GstBuffer.
void set_header(GstStructure* headers, const Header& header) {
  if (!may_name_a_field(header.name)) return;
  const bool text = g_utf8_validate_len(header.value.data(), header.value.size(), nullptr);
  if (text) {
    gst_structure_set(headers, header.name.c_str(), G_TYPE_STRING, header.value.c_str(), nullptr);
  } else {
    GstBuffer* bytes = gst_buffer_new_memdup(header.value.data(), header.value.size());
    gst_structure_set(headers, header.name.c_str(), GST_TYPE_BUFFER, bytes, nullptr);
    gst_buffer_unref(bytes);
  }
}

gboolean add_header(GQuark name, const GValue* value, gpointer user_data) {
  Header header{.name = g_quark_to_string(name)};
  if (G_VALUE_HOLDS_STRING(value)) {
    if (const gchar* text = g_value_get_string(value)) header.value = text;
  } else if (GST_VALUE_HOLDS_BUFFER(value)) {
    GstBuffer* bytes = gst_value_get_buffer(value);
    header.value.resize(gst_buffer_get_size(bytes));
    gst_buffer_extract(bytes, 0, header.value.data(), header.value.size());
  } else {
    return TRUE;
  }
  static_cast<std::vector<Header>*>(user_data)->push_back(std::move(header));
  return TRUE;
}

void set_position(GstStructure* structure, const KafkaPosition& position) {
  set_string(structure, "topic", position.topic);
  gst_structure_set(structure, "partition", G_TYPE_INT, position.partition, "offset", G_TYPE_INT64, position.offset,
                    nullptr);
  if (position.timestamp_ms >= 0) {
    gst_structure_set(structure, "timestamp", G_TYPE_INT64, position.timestamp_ms, nullptr);
  }
}

std::optional<KafkaPosition> to_position(const GstStructure* structure) {
  if (!gst_structure_has_field(structure, "topic")) return std::nullopt;
  KafkaPosition position{.topic = text_of(structure, "topic")};
  gst_structure_get_int(structure, "partition", &position.partition);
  gint64 value = 0;
  if (gst_structure_get_int64(structure, "offset", &value)) position.offset = value;
  if (gst_structure_get_int64(structure, "timestamp", &value)) position.timestamp_ms = value;
  return position;
}

}  // namespace

void register_frame_metas() {
  register_meta(kFrameMeta);
  register_meta(kClassificationMeta);
}

std::optional<FrameInfo> frame_info(GstBuffer* buffer) {
  const GstStructure* structure = structure_of(buffer, kFrameMeta);
  if (!structure) return std::nullopt;
  FrameInfo info{.source = text_of(structure, "source"),
                 .stream = text_of(structure, "stream"),
                 .position = to_position(structure)};
  guint64 value = 0;
  if (gst_structure_get_uint64(structure, "capture-time", &value)) info.capture_time_ns = value;
  if (gst_structure_get_uint64(structure, "sequence", &value)) info.sequence = value;
  const GValue* headers = gst_structure_get_value(structure, "headers");
  if (headers && GST_VALUE_HOLDS_STRUCTURE(headers)) {
    gst_structure_foreach(gst_value_get_structure(headers), add_header, &info.foreign_headers);
  }
  return info;
}

void set_frame_info(GstBuffer* buffer, const FrameInfo& info) {
  GstStructure* structure = fresh_structure(buffer, kFrameMeta);
  set_text(structure, "source", info.source);
  set_text(structure, "stream", info.stream);
  if (info.sequence) gst_structure_set(structure, "sequence", G_TYPE_UINT64, guint64{*info.sequence}, nullptr);
  if (info.capture_time_ns) {
    gst_structure_set(structure, "capture-time", G_TYPE_UINT64, guint64{*info.capture_time_ns}, nullptr);
  }
  if (info.position) set_position(structure, *info.position);
  if (info.foreign_headers.empty()) return;
  GstStructure* headers = gst_structure_new_empty("headers");
  for (const Header& header : info.foreign_headers) set_header(headers, header);
  gst_structure_set(structure, "headers", GST_TYPE_STRUCTURE, headers, nullptr);
  gst_structure_free(headers);
}

std::string frame_source(GstBuffer* buffer) {
  const GstStructure* structure = structure_of(buffer, kFrameMeta);
  return structure ? text_of(structure, "source") : std::string();
}

std::vector<Classification> classifications(GstBuffer* buffer) {
  std::vector<Classification> results;
  const GstStructure* structure = structure_of(buffer, kClassificationMeta);
  if (!structure) return results;
  for_each_structure(structure, "results",
                     [&](const GstStructure* result) { results.push_back(to_classification(result)); });
  return results;
}

void set_classifications(GstBuffer* buffer, const std::vector<Classification>& results) {
  GstStructure* structure = fresh_structure(buffer, kClassificationMeta);
  GValue array = G_VALUE_INIT;
  gst_value_array_init(&array, static_cast<guint>(results.size()));
  for (const Classification& result : results) append(&array, to_structure(result));
  gst_structure_take_value(structure, "results", &array);
}

GstStructure* to_structure(const Classification& result) {
  GstStructure* structure = gst_structure_new_empty("classification");
  set_string(structure, "model", result.model);
  set_text(structure, "version", result.version);
  if (result.label) {
    set_string(structure, "label", *result.label);
    set_scored(structure, result.class_id, result.confidence);
  }
  if (result.captured_ns) gst_structure_set(structure, "captured", G_TYPE_UINT64, guint64{result.captured_ns}, nullptr);
  if (result.took_ns) gst_structure_set(structure, "took", G_TYPE_UINT64, guint64{result.took_ns}, nullptr);
  if (result.top.empty()) return structure;
  GValue array = G_VALUE_INIT;
  gst_value_array_init(&array, static_cast<guint>(result.top.size()));
  for (const ScoredLabel& scored : result.top) {
    GstStructure* entry = gst_structure_new_empty("class");
    set_string(entry, "label", scored.label);
    set_scored(entry, scored.class_id, scored.confidence);
    append(&array, entry);
  }
  gst_structure_take_value(structure, "top", &array);
  return structure;
}

}  // namespace gkv
