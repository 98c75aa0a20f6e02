#include "stream_format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cinttypes>
#include <cstdio>
#include <string_view>

#include "common/failure.h"

namespace gkv {
namespace {

constexpr std::size_t kMaxBoundary = 70;

bool is_boundary(const std::string& text) {
  constexpr std::string_view kMarks = "'()+_,-./:=?";
  return !text.empty() && text.size() <= kMaxBoundary && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return std::isalnum(c) || kMarks.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

/// As a parameter of Content-Type: quoted only where HTTP demands it, for some viewers take quotes literally.
std::string parameter(const std::string& boundary) {
  const bool token = std::none_of(boundary.begin(), boundary.end(),
                                  [](char c) { return std::string_view("(),/:=?").find(c) != std::string_view::npos; });
  return token ? boundary : '"' + boundary + '"';
}

}  // namespace

StreamFormat::StreamFormat(const std::string& boundary) {
  if (!is_boundary(boundary)) {
    throw Failure("'" + boundary + "' cannot separate the parts of a stream; set the property boundary to 1 to 70 " +
                      "letters, digits or any of '()+_,-./:=?",
                  "RFC 2046, 5.1.1: bchars");
  }
  content_type_ = "multipart/x-mixed-replace;boundary=" + parameter(boundary);
  opening_ = make_bytes("--" + boundary + "\r\n");
  closing_ = make_bytes("\r\n--" + boundary + "\r\n");
}

std::string part_headers(std::size_t size, std::optional<std::uint64_t> capture_time_ns) {
  std::string headers = "Content-Type: image/jpeg\r\nContent-Length: " + std::to_string(size) + "\r\n";
  if (capture_time_ns) headers += "X-Timestamp: " + timestamp(*capture_time_ns) + "\r\n";
  return headers + "\r\n";
}

std::string timestamp(std::uint64_t capture_time_ns) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%" PRIu64 ".%06" PRIu64, capture_time_ns / 1'000'000'000,
                capture_time_ns / 1'000 % 1'000'000);
  return text.data();
}

}  // namespace gkv
