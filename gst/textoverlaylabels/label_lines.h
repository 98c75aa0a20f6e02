#pragma once

#include <string>
#include <vector>

#include "common/frame/frame.h"

namespace gkv {

/// The text that stands for a frame's results: `model : label` for each model, in the order of the results.
/// A model that has not answered yet has the label "Nothing".
std::vector<std::string> label_lines(const std::vector<Classification>& results);

}  // namespace gkv
