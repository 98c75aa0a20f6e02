#include "predict_response.h"

#include <glib.h>

#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include "common/failure.h"
#include "common/json/json.h"

namespace gkv {
namespace {

constexpr std::size_t kMaxWords = 300;

[[noreturn]] void refuse(const std::string& detail) { throw Failure("The answer is no classification.", detail); }

bool holds(JsonNode* node, GType type) { return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type; }

/// @return a finite number, or nothing
std::optional<double> number(JsonNode* node) {
  if (holds(node, G_TYPE_INT64)) return static_cast<double>(json_node_get_int(node));
  if (!holds(node, G_TYPE_DOUBLE)) return std::nullopt;
  const double value = json_node_get_double(node);
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

int class_number(JsonNode* node) {
  if (!holds(node, G_TYPE_INT64)) refuse("classes is no integer");
  const gint64 value = json_node_get_int(node);
  if (value < 0 || value > std::numeric_limits<int>::max()) {
    refuse("the class number is out of range");
  }
  return static_cast<int>(value);
}

JsonArray* score_vector(JsonNode* node) {
  if (!JSON_NODE_HOLDS_ARRAY(node)) refuse("the scores are no array");
  JsonArray* scores = json_node_get_array(node);
  if (json_array_get_length(scores) == 0) refuse("the array of scores is empty");
  return scores;
}

/// A score is a confidence where it is a probability; logits are none.
double confidence_of(double score) { return score >= 0 && score <= 1 ? score : 0; }

Prediction greatest(JsonArray* scores) {
  Prediction prediction{.outputs = json_array_get_length(scores)};
  double best = -std::numeric_limits<double>::infinity();
  for (guint i = 0; i < prediction.outputs; ++i) {
    const auto score = number(json_array_get_element(scores, i));
    if (!score || *score <= best) continue;
    best = *score;
    prediction.class_id = static_cast<int>(i);
  }
  if (prediction.class_id < 0) refuse("no score is a finite number");
  prediction.confidence = confidence_of(best);
  return prediction;
}

Prediction from_object(JsonObject* object) {
  JsonNode* classes = json_object_get_member(object, "classes");
  JsonNode* probabilities = json_object_get_member(object, "probabilities");
  if (!classes && !probabilities) refuse("predictions[0] has neither classes nor probabilities");
  if (!classes) return greatest(score_vector(probabilities));
  Prediction prediction{.class_id = class_number(classes)};
  if (!probabilities) return prediction;
  JsonArray* scores = score_vector(probabilities);
  prediction.outputs = json_array_get_length(scores);
  if (static_cast<std::size_t>(prediction.class_id) < prediction.outputs) {
    JsonNode* score = json_array_get_element(scores, static_cast<guint>(prediction.class_id));
    prediction.confidence = confidence_of(number(score).value_or(0));
  }
  return prediction;
}

/// A member of an object that holds text.
std::string text_member(JsonObject* object, const char* name) {
  JsonNode* node = json_object_get_member(object, name);
  return node && holds(node, G_TYPE_STRING) ? json_node_get_string(node) : "";
}

std::string shortened(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  text = text.substr(first, kMaxWords);
  const std::unique_ptr<gchar, decltype(&g_free)> valid(
      g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())), g_free);
  std::string words = valid.get();
  for (char& byte : words) {
    if (g_ascii_iscntrl(byte)) byte = ' ';
  }
  return words.substr(0, words.find_last_not_of(' ') + 1);
}

}  // namespace

Prediction parse_prediction(std::string_view body) {
  const JsonNodePtr root = parse_json(body);
  if (!JSON_NODE_HOLDS_OBJECT(root.get())) refuse("the JSON is no object");
  JsonNode* predictions = json_object_get_member(json_node_get_object(root.get()), "predictions");
  if (!predictions || !JSON_NODE_HOLDS_ARRAY(predictions)) refuse("predictions is no array");
  JsonArray* rows = json_node_get_array(predictions);
  if (json_array_get_length(rows) == 0) refuse("predictions is empty");
  JsonNode* row = json_array_get_element(rows, 0);
  if (JSON_NODE_HOLDS_OBJECT(row)) return from_object(json_node_get_object(row));
  if (JSON_NODE_HOLDS_ARRAY(row)) return greatest(score_vector(row));
  return {.class_id = class_number(row)};
}

std::string refusal_words(std::string_view body) {
  try {
    const JsonNodePtr root = parse_json(body);
    if (!JSON_NODE_HOLDS_OBJECT(root.get())) return {};
    JsonObject* object = json_node_get_object(root.get());
    const std::string error = text_member(object, "error");
    return shortened(error.empty() ? text_member(object, "detail") : error);
  } catch (const Failure&) {
    const std::string words = shortened(body);
    return words.starts_with('<') || words.starts_with('{') ? std::string() : words;
  }
}

}  // namespace gkv
