#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gkv {

/// Unix time in ns as RFC 3339 text in UTC: `2026-11-23T03:21:46.123456789Z`.
std::string to_rfc3339(std::uint64_t unix_ns);

/// @param text  RFC 3339 with an optional fraction of up to nine digits, and `Z` or a numeric offset
/// @return Unix ns, or nullopt when the text is no such time or lies before 1970 or after 2262
std::optional<std::uint64_t> from_rfc3339(std::string_view text);

}  // namespace gkv
