#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/frame/frame.h"

namespace gkv {

/// Classifications as JSON, the value of the Kafka header `ce_classifications`: an array with one object for each
/// model, of `model`, `version`, `label` (null until the model has answered), `class_id`, `confidence`, `top`,
/// `captured` (RFC 3339) and `took_ms`. Unknown values are left out.
std::string classifications_to_json(const std::vector<Classification>& results);

/// The reverse, for text that nobody vouches for. Unknown fields are ignored; missing ones stay at their defaults.
/// @throws Failure when the text is no array of objects, or a field has the wrong type
std::vector<Classification> classifications_from_json(std::string_view text);

}  // namespace gkv
