#include "model_urls.h"

#include <glib.h>

#include <algorithm>
#include <memory>
#include <regex>
#include <utility>

#include "common/failure.h"
#include "common/json/json.h"

namespace gkv {
namespace {

struct NamedUrl {
  std::string name;
  std::string url;
};

struct UriFree {
  void operator()(GUri* uri) const { g_uri_unref(uri); }
};
using UriPtr = std::unique_ptr<GUri, UriFree>;

std::string_view trimmed(std::string_view text) {
  constexpr const char* kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool is_json_object(std::string_view text) { return text.starts_with('{'); }

Failure bad_map(const std::string& property, std::string detail) {
  return Failure(property + " must be one URL or a JSON object of model name to URL.", std::move(detail));
}

/// The members of a JSON object of strings, in their order.
std::vector<NamedUrl> parse_map(std::string_view text, const std::string& property) {
  JsonNodePtr root;
  try {
    root = parse_json(text);
  } catch (const Failure& failure) {
    throw bad_map(property, failure.detail());
  }
  if (!JSON_NODE_HOLDS_OBJECT(root.get())) throw bad_map(property, "the JSON is no object");
  std::vector<NamedUrl> urls;
  JsonObjectIter iter;
  json_object_iter_init_ordered(&iter, json_node_get_object(root.get()));
  const gchar* name = nullptr;
  JsonNode* node = nullptr;
  while (json_object_iter_next_ordered(&iter, &name, &node)) {
    if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING || !*name) {
      throw bad_map(property, std::string("\"") + name + "\" is no name of a URL");
    }
    urls.push_back({name, std::string(trimmed(json_node_get_string(node)))});
  }
  if (urls.empty()) throw bad_map(property, "the JSON object is empty");
  return urls;
}

UriPtr parse_uri(const std::string& url) {
  constexpr auto kFlags = GUriFlags(G_URI_FLAGS_ENCODED_PATH | G_URI_FLAGS_ENCODED_QUERY |
                                    G_URI_FLAGS_ENCODED_FRAGMENT | G_URI_FLAGS_SCHEME_NORMALIZE);
  GError* error = nullptr;
  UriPtr uri(g_uri_parse(url.c_str(), kFlags, &error));
  if (!uri) {
    const std::string words = error->message;
    g_error_free(error);
    throw Failure("model-urls has \"" + url + "\", which is no URL.", words);
  }
  return uri;
}

void check_host(GUri* uri, const std::string& url) {
  const std::string scheme = g_uri_get_scheme(uri);
  if (scheme != "http" && scheme != "https") {
    throw Failure("model-urls has \"" + url + "\", but only http:// and https:// are spoken.", "scheme " + scheme);
  }
  const gchar* host = g_uri_get_host(uri);
  if (!host || !*host) throw Failure("model-urls has \"" + url + "\", which names no host.");
  if (g_uri_get_userinfo(uri)) throw Failure("model-urls must not hold a user name or password.");
}

/// @param name  empty: the model's name is that of the path
ModelTarget to_target(const NamedUrl& named) {
  const UriPtr uri = parse_uri(named.url);
  check_host(uri.get(), named.url);
  static const std::regex kPath("(?:/[^/:]+)*/v1/models/([^/:]+)(?:/versions/([0-9]+)|/labels/[^/:]+)?:predict",
                                std::regex::icase);
  const std::string path = g_uri_get_path(uri.get());
  std::smatch match;
  // TensorFlow Serving takes a query for a part of the path, and refuses it.
  if (!std::regex_match(path, match, kPath) || g_uri_get_query(uri.get()) || g_uri_get_fragment(uri.get())) {
    throw Failure("model-urls has \"" + named.url +
                      "\", but a model's URL ends in /v1/models/MODEL[/versions/N|/labels/L]:predict.",
                  "path " + path);
  }
  std::string name = named.name;
  if (name.empty()) {
    const std::unique_ptr<gchar, decltype(&g_free)> decoded(g_uri_unescape_string(match[1].str().c_str(), nullptr),
                                                            g_free);
    name = decoded && g_utf8_validate(decoded.get(), -1, nullptr) ? decoded.get() : match[1].str();
  }
  return {.name = name, .url = named.url, .version = match[2].str()};
}

}  // namespace

std::vector<ModelTarget> parse_model_urls(std::string_view text) {
  const std::string_view value = trimmed(text);
  if (value.empty()) throw Failure("No model is named; set model-urls.", "model-urls is empty");
  const std::vector<NamedUrl> urls =
      is_json_object(value) ? parse_map(value, "model-urls") : std::vector<NamedUrl>{{"", std::string(value)}};
  std::vector<ModelTarget> targets;
  std::transform(urls.begin(), urls.end(), std::back_inserter(targets), to_target);
  return targets;
}

std::vector<std::string> parse_label_urls(std::string_view text, const std::vector<ModelTarget>& models) {
  const std::string_view value = trimmed(text);
  if (!is_json_object(value)) return std::vector<std::string>(models.size(), std::string(value));
  const std::vector<NamedUrl> urls = parse_map(value, "label-urls");
  std::vector<std::string> locations;
  for (const ModelTarget& model : models) {
    const auto found =
        std::find_if(urls.begin(), urls.end(), [&](const NamedUrl& named) { return named.name == model.name; });
    if (found == urls.end()) {
      throw Failure("label-urls has no labels for the model \"" + model.name + "\" of model-urls.",
                    "the first name in label-urls is \"" + urls.front().name + "\"");
    }
    locations.push_back(found->url);
  }
  return locations;
}

}  // namespace gkv
