#include "common/json/json.h"

#include <array>

#include "common/failure.h"

namespace gkv {
namespace {

constexpr int kMaxNesting = 64;

struct ParserFree {
  void operator()(JsonParser* parser) const { g_object_unref(parser); }
};

/// Follows a JSON text from byte to byte, so far as to know what lies outside strings.
class Scanner {
 public:
  /// @return whether the byte lies outside every string
  bool outside(char byte) {
    if (!in_string_) {
      in_string_ = byte == '"';
      return !in_string_;
    }
    if (escaped_) {
      escaped_ = false;
    } else if (byte == '\\') {
      escaped_ = true;
    } else if (byte == '"') {
      in_string_ = false;
    }
    return false;
  }

 private:
  bool in_string_ = false;
  bool escaped_ = false;
};

/// @return the length of the non-finite number that `text` begins with, or 0
std::size_t non_finite_token(std::string_view text) {
  for (std::string_view token : {"NaN", "Infinity", "-Infinity"}) {
    if (text.starts_with(token)) return token.size();
  }
  return 0;
}

std::string made_safe(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  Scanner scanner;
  int depth = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char byte = text[i];
    if (scanner.outside(byte)) {
      // Comments and strings in single quotes are no JSON, but json-glib takes them, and the scanner would lose its
      // way.
      if (byte == '/' || byte == '\'') throw Failure("JSON could not be read.", "a comment or a single quote");
      if (byte == '[' || byte == '{') ++depth;
      if (byte == ']' || byte == '}') --depth;
      if (depth > kMaxNesting) throw Failure("JSON could not be read.", "more than 64 levels of nesting");
      if (const auto length = non_finite_token(text.substr(i))) {
        safe += "null";
        i += length;
        continue;
      }
    }
    safe += byte;
    ++i;
  }
  return safe;
}

}  // namespace

JsonNodePtr parse_json(std::string_view text) {
  const std::string safe = made_safe(text);
  const std::unique_ptr<JsonParser, ParserFree> parser(json_parser_new_immutable());
  GError* error = nullptr;
  if (!json_parser_load_from_data(parser.get(), safe.data(), static_cast<gssize>(safe.size()), &error)) {
    const std::string words = error->message;
    g_error_free(error);
    throw Failure("JSON could not be read.", words);
  }
  JsonNodePtr root(json_parser_steal_root(parser.get()));
  if (!root) throw Failure("JSON could not be read.", "the text is empty");
  return root;
}

std::string to_json(JsonNode* node) {
  gchar* text = json_to_string(node, FALSE);
  std::string result = text;
  g_free(text);
  return result;
}

}  // namespace gkv
