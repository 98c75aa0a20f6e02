#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gkv {

enum class Endpoint { kPage, kPageScript, kPageStyle, kStream, kSnapshot, kState };

/// What a request asks for.
struct Route {
  Endpoint endpoint;
  std::string source;  ///< of kStream and kSnapshot; empty: the only or first one

  bool operator==(const Route&) const = default;
};

/// @param path  as in the request line, without the query
/// @return nullopt where there is nothing at that path
std::optional<Route> find_route(std::string_view path);

}  // namespace gkv
