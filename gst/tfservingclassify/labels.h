#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "predict_response.h"

namespace gkv {

/// The names of a model's classes, by index; an empty name is an unknown class.
using Labels = std::vector<std::string>;

/// The label of a class that the labels do not know.
inline constexpr const char* kUnknownLabel = "Nothing";

/// Reads a label file: a JSON object of index to label, a JSON array of labels, or one label a line.
/// @throws Failure with the reason as detail
Labels parse_labels(std::string_view text);

/// Reads a label file from a path or file:// URL. @throws Failure that names label-urls
Labels read_labels(const std::string& location);

/// @return whether the location is an http:// or https:// URL
bool is_remote(std::string_view location);

/// The label of a predicted class. Models of the Estimator kind count a background class first: the label's index is
/// one less than the class where the model has one output more than there are labels, or does not tell its outputs.
/// @param labels  empty: the label is the class's number
std::string label_of(const Prediction& prediction, const Labels& labels);

}  // namespace gkv
