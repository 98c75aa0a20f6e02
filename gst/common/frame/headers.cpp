#include "common/frame/headers.h"

#include <glib.h>

#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "common/failure.h"
#include "common/frame/caps_text.h"
#include "common/frame/classification_json.h"
#include "common/frame/rfc3339.h"

namespace gkv {
namespace {

constexpr std::string_view kSpecVersion = "1.0";
constexpr std::string_view kType = "gst-kafka-vision.frame.v1";
constexpr std::string_view kTypeOfAnyVersion = "gst-kafka-vision.frame.v";
constexpr std::size_t kLongestHeader = 64 * 1024;
constexpr std::size_t kMostForeignHeaders = 32;
constexpr std::size_t kLongestForeignName = 256;
constexpr std::size_t kLongestClassifications = 1024 * 1024;
constexpr std::uint64_t kLargestTime = std::numeric_limits<std::int64_t>::max();

/// @return a decimal number without sign, or nullopt
std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Why a header's value was not taken; empty: it was.
using Problem = std::string_view;
using Read = Problem (*)(std::string_view value, DecodedHeaders& decoded);

Problem read_text(std::string_view value, std::string& into) {
  if (value.size() > kLongestHeader) return "is longer than 64 KiB";
  if (!g_utf8_validate_len(value.data(), value.size(), nullptr)) return "is no UTF-8 text";
  into = value;
  return {};
}

Problem read_caps(std::string_view value, DecodedHeaders& decoded) {
  const Problem problem = problem_of_caps_text(value);
  return problem.empty() ? read_text(value, decoded.headers.caps) : problem;
}

Problem read_time(std::string_view value, std::optional<std::uint64_t>& into) {
  const auto time = to_number(value);
  if (!time || *time > kLargestTime) return "is no time in nanoseconds";
  into = time;
  return {};
}

Problem read_type(std::string_view value, DecodedHeaders& decoded) {
  if (value != kType && value.starts_with(kTypeOfAnyVersion)) return read_text(value, decoded.unknown_type);
  return {};
}

Problem read_sequence(std::string_view value, DecodedHeaders& decoded) {
  decoded.headers.info.sequence = to_number(value);
  return decoded.headers.info.sequence ? Problem() : "is no number";
}

Problem read_capture_time(std::string_view value, DecodedHeaders& decoded) {
  decoded.headers.info.capture_time_ns = from_rfc3339(value);
  return decoded.headers.info.capture_time_ns ? Problem() : "is no RFC 3339 time";
}

Problem read_flags(std::string_view value, DecodedHeaders& decoded) {
  while (!value.empty()) {
    const auto comma = value.find(',');
    const auto flag = value.substr(0, comma);
    decoded.headers.delta_unit |= flag == "delta-unit";
    decoded.headers.discont |= flag == "discont";
    value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
  }
  return {};  // flags that a newer sender knows are no fault
}

Problem read_classifications(std::string_view value, DecodedHeaders& decoded) {
  if (value.size() > kLongestClassifications) return "is longer than 1 MiB";
  try {
    decoded.headers.classifications = classifications_from_json(value);
    return {};
  } catch (const Failure&) {
    return "is no array of classifications";
  }
}

struct Reader {
  std::string_view name;
  Read read;
};

/// In the order in which headers are written.
const std::array<Reader, 14>& readers() {
  static const std::array<Reader, 14> readers = {{
      {"content-type", [](auto value, auto& decoded) { return read_text(value, decoded.headers.content_type); }},
      {"ce_specversion", [](auto, auto&) { return Problem(); }},
      {"ce_type", read_type},
      {"ce_source", [](auto value, auto& decoded) { return read_text(value, decoded.headers.info.source); }},
      {"ce_id", [](auto value, auto& decoded) { return read_text(value, decoded.headers.id); }},
      {"ce_stream", [](auto value, auto& decoded) { return read_text(value, decoded.headers.info.stream); }},
      {"ce_sequence", read_sequence},
      {"ce_time", read_capture_time},
      {"ce_caps", read_caps},
      {"ce_pts", [](auto value, auto& decoded) { return read_time(value, decoded.headers.pts_ns); }},
      {"ce_dts", [](auto value, auto& decoded) { return read_time(value, decoded.headers.dts_ns); }},
      {"ce_duration", [](auto value, auto& decoded) { return read_time(value, decoded.headers.duration_ns); }},
      {"ce_flags", read_flags},
      {"ce_classifications", read_classifications},
  }};
  return readers;
}

/// @param next  where to look first: behind the header that was found last
Read find_reader(std::string_view name, std::size_t& next) {
  const auto& all = readers();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Reader& reader = all[(next + i) % all.size()];
    if (reader.name != name) continue;
    next += i + 1;
    return reader.read;
  }
  return nullptr;
}

std::string flags_text(const FrameHeaders& headers) {
  if (headers.delta_unit && headers.discont) return "delta-unit,discont";
  return headers.delta_unit ? "delta-unit" : headers.discont ? "discont" : "";
}

}  // namespace

void encode_headers(const FrameHeaders& headers,
                    const std::function<void(std::string_view name, std::string_view value)>& add) {
  const auto add_text = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) add(name, value);
  };
  const auto add_number = [&](std::string_view name, const std::optional<std::uint64_t>& value) {
    if (!value) return;
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *value).ptr;
    add(name, {digits.data(), end});
  };
  const FrameInfo& info = headers.info;
  add_text("content-type", headers.content_type);
  add_text("ce_specversion", kSpecVersion);
  add_text("ce_type", kType);
  add_text("ce_source", info.source);
  add_text("ce_id", headers.id);
  add_text("ce_stream", info.stream);
  add_number("ce_sequence", info.sequence);
  if (info.capture_time_ns) add_text("ce_time", to_rfc3339(*info.capture_time_ns));
  add_text("ce_caps", headers.caps);
  add_number("ce_pts", headers.pts_ns);
  add_number("ce_dts", headers.dts_ns);
  add_number("ce_duration", headers.duration_ns);
  add_text("ce_flags", flags_text(headers));
  if (!headers.classifications.empty()) {
    add_text("ce_classifications", classifications_to_json(headers.classifications));
  }
  for (const Header& header : info.foreign_headers) add(header.name, header.value);
}

std::vector<Header> encode_headers(const FrameHeaders& headers) {
  std::vector<Header> encoded;
  encode_headers(headers, [&](std::string_view name, std::string_view value) {
    encoded.push_back({std::string(name), std::string(value)});
  });
  return encoded;
}

DecodedHeaders decode_headers(std::span<const HeaderView> headers, std::string_view known_caps) {
  DecodedHeaders decoded;
  std::size_t next = 0;
  for (const HeaderView& header : headers) {
    const Read read = find_reader(header.name, next);
    if (!read) {
      auto& foreign = decoded.headers.info.foreign_headers;
      if (foreign.size() < kMostForeignHeaders && header.name.size() <= kLongestForeignName) {
        foreign.push_back({std::string(header.name), std::string(header.value)});
      } else {
        decoded.problems.emplace_back("There are more than 32 headers of others, or one has a name above 256 bytes.");
      }
      continue;
    }
    if (read == read_caps && header.value == known_caps) {
      decoded.headers.caps = known_caps;
      continue;
    }
    const Problem problem = read(header.value, decoded);
    if (!problem.empty()) {
      decoded.problems.push_back("The header " + std::string(header.name) + " " + std::string(problem) + ".");
    }
  }
  return decoded;
}

}  // namespace gkv
