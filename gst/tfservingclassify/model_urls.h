#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gkv {

/// A model that is asked, as `model-urls` names it.
struct ModelTarget {
  std::string name;
  std::string url;      ///< http(s)://HOST[:PORT][/PREFIX]/v1/models/MODEL[/versions/N|/labels/L]:predict
  std::string version;  ///< the N of the URL; empty: the server chooses

  bool operator==(const ModelTarget&) const = default;
};

/// Reads the property `model-urls`: one URL, whose model takes its name from the path, or a JSON object of name to URL,
/// whose order is kept.
/// @throws Failure that names the property
std::vector<ModelTarget> parse_model_urls(std::string_view text);

/// Reads the property `label-urls`: one location for all models, or a JSON object of model name to location.
/// @return a location (path, file://, http:// or https://) for each model, in the order of `models`; empty: none
/// @throws Failure that names the property, also where the object leaves a model out
std::vector<std::string> parse_label_urls(std::string_view text, const std::vector<ModelTarget>& models);

}  // namespace gkv
