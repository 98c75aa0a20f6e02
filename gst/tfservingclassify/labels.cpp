#include "labels.h"

#include <glib.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "common/failure.h"
#include "common/json/json.h"

namespace gkv {
namespace {

constexpr std::size_t kMaxLabels = 1'000'000;

Failure bad_labels(const std::string& detail) { return Failure("Labels could not be read; check label-urls.", detail); }

std::string string_of(JsonNode* node) {
  if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING) {
    throw bad_labels("a label is no string");
  }
  return json_node_get_string(node);
}

Labels from_object(JsonObject* object) {
  Labels labels;
  JsonObjectIter iter;
  json_object_iter_init(&iter, object);
  const gchar* key = nullptr;
  JsonNode* node = nullptr;
  while (json_object_iter_next(&iter, &key, &node)) {
    const std::string_view digits = key;
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error != std::errc() || end != digits.data() + digits.size() || index >= kMaxLabels) {
      throw bad_labels("\"" + std::string(digits) + "\" is no index of a class");
    }
    if (labels.size() <= index) labels.resize(index + 1);
    labels[index] = string_of(node);
  }
  return labels;
}

Labels from_array(JsonArray* array) {
  Labels labels(json_array_get_length(array));
  for (guint i = 0; i < labels.size(); ++i) labels[i] = string_of(json_array_get_element(array, i));
  return labels;
}

Labels from_json(std::string_view text) {
  JsonNodePtr root;
  try {
    root = parse_json(text);
  } catch (const Failure& failure) {
    throw bad_labels(failure.detail());
  }
  return JSON_NODE_HOLDS_OBJECT(root.get()) ? from_object(json_node_get_object(root.get()))
                                            : from_array(json_node_get_array(root.get()));
}

Labels from_lines(std::string_view text) {
  Labels labels;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    labels.emplace_back(line);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return labels;
}

}  // namespace

Labels parse_labels(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!g_utf8_validate_len(text.data(), text.size(), nullptr)) throw bad_labels("the labels are not UTF-8");
  const auto first = text.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
  Labels labels = json ? from_json(text) : from_lines(text);
  if (std::all_of(labels.begin(), labels.end(), [](const std::string& label) { return label.empty(); })) {
    throw bad_labels("there is no label");
  }
  return labels;
}

Labels read_labels(const std::string& location) {
  const auto failure = [&](const std::string& detail) {
    return Failure("Labels could not be read from \"" + location + "\"; check label-urls.", detail);
  };
  GError* error = nullptr;
  using Text = std::unique_ptr<gchar, decltype(&g_free)>;
  Text path(location.starts_with("file://") ? g_filename_from_uri(location.c_str(), nullptr, &error)
                                            : g_strdup(location.c_str()),
            g_free);
  gchar* bytes = nullptr;
  gsize size = 0;
  if (!path || !g_file_get_contents(path.get(), &bytes, &size, &error)) {
    const std::string words = error->message;
    g_error_free(error);
    throw failure(words);
  }
  const Text owned(bytes, g_free);
  try {
    return parse_labels({bytes, size});
  } catch (const Failure& reason) {
    throw failure(reason.detail());
  }
}

bool is_remote(std::string_view location) {
  return location.starts_with("http://") || location.starts_with("https://");
}

std::string label_of(const Prediction& prediction, const Labels& labels) {
  if (labels.empty()) return std::to_string(prediction.class_id);
  const bool background = prediction.outputs == 0 || prediction.outputs == labels.size() + 1;
  const std::int64_t index = std::int64_t{prediction.class_id} - (background ? 1 : 0);
  if (index < 0 || static_cast<std::size_t>(index) >= labels.size()) return kUnknownLabel;
  const std::string& label = labels[static_cast<std::size_t>(index)];
  return label.empty() ? kUnknownLabel : label;
}

}  // namespace gkv
