#pragma once

#include <json-glib/json-glib.h>

#include <memory>
#include <string>
#include <string_view>

namespace gkv {

struct JsonNodeFree {
  void operator()(JsonNode* node) const { json_node_unref(node); }
};
using JsonNodePtr = std::unique_ptr<JsonNode, JsonNodeFree>;

/// Parses JSON that nobody vouches for. The bare tokens `NaN`, `Infinity` and `-Infinity`, which TensorFlow Serving
/// writes and json-glib refuses, are read as null; nesting above 64 levels is refused before json-glib sees it,
/// for its parser recurses without a bound.
/// @param text  UTF-8
/// @throws Failure with the parser's words; never returns null
JsonNodePtr parse_json(std::string_view text);

/// The node as compact JSON text.
std::string to_json(JsonNode* node);

}  // namespace gkv
