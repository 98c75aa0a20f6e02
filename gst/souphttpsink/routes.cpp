#include "routes.h"

#include <glib.h>

#include <array>
#include <memory>
#include <utility>

namespace gkv {
namespace {

struct StringFree {
  void operator()(char* text) const { g_free(text); }
};

/// @return nullopt where percent signs do not encode UTF-8 text
std::optional<std::string> decode(std::string_view text) {
  std::unique_ptr<char, StringFree> decoded(g_uri_unescape_segment(text.data(), text.data() + text.size(), nullptr));
  if (!decoded || !g_utf8_validate(decoded.get(), -1, nullptr)) return std::nullopt;
  return decoded.get();
}

}  // namespace

std::optional<Route> find_route(std::string_view path) {
  constexpr std::array kFixed = {
      std::pair{std::string_view("/"), Endpoint::kPage},
      std::pair{std::string_view("/page.js"), Endpoint::kPageScript},
      std::pair{std::string_view("/page.css"), Endpoint::kPageStyle},
      std::pair{std::string_view("/state"), Endpoint::kState},
  };
  constexpr std::array kOfSource = {
      std::pair{std::string_view("/stream"), Endpoint::kStream},
      std::pair{std::string_view("/snapshot"), Endpoint::kSnapshot},
  };
  for (const auto& [name, endpoint] : kFixed) {
    if (path == name) return Route{endpoint, {}};
  }
  for (const auto& [name, endpoint] : kOfSource) {
    if (!path.starts_with(name)) continue;
    auto rest = path.substr(name.size());
    if (rest.empty()) return Route{endpoint, {}};
    if (rest.front() != '/') continue;
    auto source = decode(rest.substr(1));
    if (source) return Route{endpoint, std::move(*source)};
  }
  return std::nullopt;
}

}  // namespace gkv
