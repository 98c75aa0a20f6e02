#include "common/frame/caps_text.h"

#include <glib.h>

#include <algorithm>
#include <cstddef>
#include <string>

namespace gkv {
namespace {

constexpr int kDeepest = 16;

bool is_one_of(char character, std::string_view set) { return set.find(character) != std::string_view::npos; }

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

/// As gst_structure_validate_name().
bool is_media_type(std::string_view name) {
  return !name.empty() && g_ascii_isalpha(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return g_ascii_isalnum(c) || is_one_of(c, "/-_.:+"); });
}

/// Such as `memory:DMABuf, meta:GstVideoOverlayComposition`.
bool are_features(std::string_view text) {
  while (true) {
    const auto comma = text.find(',');
    const std::string_view feature = trimmed(text.substr(0, comma));
    const auto colon = feature.find(':');
    const auto is_word = [](std::string_view word) {
      return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return g_ascii_isalnum(c); }) &&
             g_ascii_isalpha(word.front());
    };
    if (colon == std::string_view::npos || !is_word(feature.substr(0, colon)) || !is_word(feature.substr(colon + 1))) {
      return false;
    }
    if (comma == std::string_view::npos) return true;
    text = text.substr(comma + 1);
  }
}

/// Types whose values are texts that are parsed in their turn.
bool nests(std::string_view type) {
  std::string lower(type);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return g_ascii_tolower(c); });
  for (const char* part : {"structure", "caps", "taglist", "sample", "segment"}) {
    if (lower.find(part) != std::string::npos) return true;
  }
  return false;
}

bool is_buffer(std::string_view type) { return type == "buffer" || type == "GstBuffer"; }

bool is_hex(std::string_view text) {
  return !text.empty() && text.size() % 2 == 0 &&
         std::all_of(text.begin(), text.end(), [](char c) { return g_ascii_isxdigit(c); });
}

/// Whether buffers are hexadecimal: one, or an array such as `< 01a2, 03b4 >`.
/// @param text  begins behind the type
bool begins_with_hex(std::string_view text) {
  text = trimmed(text);
  if (!text.starts_with('<')) return is_hex(trimmed(text.substr(0, text.find_first_of(",>;"))));
  std::string_view elements = text.substr(1, text.find('>') - 1);
  while (true) {
    const auto comma = elements.find(',');
    const std::string_view element = trimmed(elements.substr(0, comma));
    if (!element.starts_with('(') && !is_hex(element)) return false;
    if (comma == std::string_view::npos) return true;
    elements = elements.substr(comma + 1);
  }
}

/// @param fields  what follows the media type
std::string_view problem_of_fields(std::string_view fields) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const char c = fields[i];
    if (c == '\\') ++i;
    if (c == '"') quoted = !quoted;
    // Brackets inside of quotes count, too: a text may be parsed again.
    if (is_one_of(c, "{<[(")) ++depth;
    if (is_one_of(c, "}>])")) --depth;
    if (depth > kDeepest) return "is nested too deeply";
    if (quoted) continue;
    if (c == ';') return "has more than one media type";
    if (c != '(') continue;
    const auto end = fields.find(')', i);
    if (end == std::string_view::npos) return "has a type without an end";
    const std::string_view type = trimmed(fields.substr(i + 1, end - i - 1));
    if (nests(type)) return "has a field with fields of its own";
    if (is_buffer(type) && !begins_with_hex(fields.substr(end + 1))) return "has a buffer that is no hexadecimal";
  }
  return {};
}

}  // namespace

std::string_view problem_of_caps_text(std::string_view text) {
  const auto name_end = std::min(text.find_first_of(",("), text.size());
  if (!is_media_type(trimmed(text.substr(0, name_end)))) return "begins with no media type";
  std::string_view fields = text.substr(name_end);
  if (fields.starts_with('(')) {
    const auto end = fields.find(')');
    if (end == std::string_view::npos || !are_features(fields.substr(1, end - 1))) return "has malformed features";
    fields = fields.substr(end + 1);
  }
  return problem_of_fields(fields);
}

}  // namespace gkv
