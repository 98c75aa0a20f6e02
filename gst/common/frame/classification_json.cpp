#include "common/frame/classification_json.h"

#include <cmath>
#include <memory>

#include "common/failure.h"
#include "common/frame/rfc3339.h"
#include "common/json/json.h"

namespace gkv {
namespace {

constexpr double kNanosecondsPerMillisecond = 1e6;
constexpr double kLongestTookMs = 1e9;

struct BuilderFree {
  void operator()(JsonBuilder* builder) const { g_object_unref(builder); }
};

void add_scored(JsonBuilder* builder, int class_id, double confidence) {
  json_builder_set_member_name(builder, "class_id");
  json_builder_add_int_value(builder, class_id);
  json_builder_set_member_name(builder, "confidence");
  json_builder_add_double_value(builder, std::isfinite(confidence) ? confidence : 0);
}

void add_text(JsonBuilder* builder, const char* name, const std::string& text) {
  json_builder_set_member_name(builder, name);
  json_builder_add_string_value(builder, text.c_str());
}

void add_top(JsonBuilder* builder, const std::vector<ScoredLabel>& top) {
  json_builder_set_member_name(builder, "top");
  json_builder_begin_array(builder);
  for (const ScoredLabel& scored : top) {
    json_builder_begin_object(builder);
    add_text(builder, "label", scored.label);
    add_scored(builder, scored.class_id, scored.confidence);
    json_builder_end_object(builder);
  }
  json_builder_end_array(builder);
}

void add_result(JsonBuilder* builder, const Classification& result) {
  json_builder_begin_object(builder);
  add_text(builder, "model", result.model);
  if (!result.version.empty()) add_text(builder, "version", result.version);
  if (result.label) {
    add_text(builder, "label", *result.label);
    add_scored(builder, result.class_id, result.confidence);
  } else {
    json_builder_set_member_name(builder, "label");
    json_builder_add_null_value(builder);
  }
  if (!result.top.empty()) add_top(builder, result.top);
  if (result.captured_ns) add_text(builder, "captured", to_rfc3339(result.captured_ns));
  if (result.took_ns) {
    json_builder_set_member_name(builder, "took_ms");
    json_builder_add_double_value(builder, static_cast<double>(result.took_ns) / kNanosecondsPerMillisecond);
  }
  json_builder_end_object(builder);
}

[[noreturn]] void refuse(const std::string& why) { throw Failure("Classifications could not be read.", why); }

JsonObject* object_of(JsonNode* node) {
  if (!JSON_NODE_HOLDS_OBJECT(node)) refuse("an element of the array is no object");
  return json_node_get_object(node);
}

/// @return the member, or nullptr where it is missing or null
JsonNode* member(JsonObject* object, const char* name) {
  JsonNode* node = json_object_get_member(object, name);
  return node && !JSON_NODE_HOLDS_NULL(node) ? node : nullptr;
}

std::optional<std::string> text_member(JsonObject* object, const char* name) {
  JsonNode* node = member(object, name);
  if (!node) return std::nullopt;
  if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING) {
    refuse(std::string(name) + " is no text");
  }
  return json_node_get_string(node);
}

std::optional<double> number_member(JsonObject* object, const char* name) {
  JsonNode* node = member(object, name);
  if (!node) return std::nullopt;
  const GType type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;
  if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE) refuse(std::string(name) + " is no number");
  return json_node_get_double(node);
}

int class_id_member(JsonObject* object) {
  const double value = number_member(object, "class_id").value_or(-1);
  if (!(value >= -1 && value <= G_MAXINT)) refuse("class_id is out of range");
  return static_cast<int>(value);
}

double confidence_member(JsonObject* object) {
  const double value = number_member(object, "confidence").value_or(0);
  if (!(value >= 0 && value <= 1)) refuse("confidence is not between 0 and 1");
  return value;
}

ScoredLabel to_scored_label(JsonObject* object) {
  return {.label = text_member(object, "label").value_or(""),
          .class_id = class_id_member(object),
          .confidence = confidence_member(object)};
}

std::vector<ScoredLabel> top_member(JsonObject* object) {
  std::vector<ScoredLabel> top;
  JsonNode* node = member(object, "top");
  if (!node) return top;
  if (!JSON_NODE_HOLDS_ARRAY(node)) refuse("top is no array");
  JsonArray* array = json_node_get_array(node);
  for (guint i = 0; i < json_array_get_length(array); ++i) {
    top.push_back(to_scored_label(object_of(json_array_get_element(array, i))));
  }
  return top;
}

Classification to_classification(JsonObject* object) {
  Classification result{.model = text_member(object, "model").value_or(""),
                        .version = text_member(object, "version").value_or(""),
                        .label = text_member(object, "label"),
                        .class_id = class_id_member(object),
                        .confidence = confidence_member(object),
                        .top = top_member(object)};
  if (const auto captured = text_member(object, "captured")) {
    const auto time = from_rfc3339(*captured);
    if (!time) refuse("captured is no RFC 3339 time");
    result.captured_ns = *time;
  }
  const double took_ms = number_member(object, "took_ms").value_or(0);
  if (!(took_ms >= 0 && took_ms <= kLongestTookMs)) refuse("took_ms is out of range");
  result.took_ns = static_cast<std::uint64_t>(std::llround(took_ms * kNanosecondsPerMillisecond));
  return result;
}

}  // namespace

std::string classifications_to_json(const std::vector<Classification>& results) {
  const std::unique_ptr<JsonBuilder, BuilderFree> builder(json_builder_new_immutable());
  json_builder_begin_array(builder.get());
  for (const Classification& result : results) add_result(builder.get(), result);
  json_builder_end_array(builder.get());
  const JsonNodePtr root(json_builder_get_root(builder.get()));
  return to_json(root.get());
}

std::vector<Classification> classifications_from_json(std::string_view text) {
  const JsonNodePtr root = parse_json(text);
  if (!JSON_NODE_HOLDS_ARRAY(root.get())) refuse("the text is no array");
  JsonArray* array = json_node_get_array(root.get());
  std::vector<Classification> results;
  for (guint i = 0; i < json_array_get_length(array); ++i) {
    results.push_back(to_classification(object_of(json_array_get_element(array, i))));
  }
  return results;
}

}  // namespace gkv
