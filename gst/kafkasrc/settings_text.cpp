#include "settings_text.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>

#include "common/failure.h"
#include "common/frame/rfc3339.h"

namespace gkv {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr int kMostPartitions = 100'000;

template <typename Number>
std::optional<Number> to_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const auto comma = std::min(text.find(',', begin), text.size());
    const auto first = text.find_first_not_of(' ', begin);
    if (first < comma) {
      const auto last = text.find_last_not_of(' ', comma - 1);
      parts.push_back(text.substr(first, last + 1 - first));
    }
    begin = comma + 1;
  }
  return parts;
}

std::vector<std::string> parse_topics(const std::string& text) {
  return text.starts_with('^') ? std::vector<std::string>{text} : split(text);
}

std::vector<int> parse_partitions(const std::string& text) {
  std::vector<int> partitions;
  for (const std::string& part : split(text)) {
    const auto dash = part.find('-');
    const auto first = to_number<int>(part.substr(0, dash));
    const auto last = dash == std::string::npos ? first : to_number<int>(part.substr(dash + 1));
    if (!first || !last || *first < 0 || *first > *last || *last > kMostPartitions) {
      throw Failure("\"" + part + "\" is no partition; write numbers such as 0,2-4 in the property partitions.");
    }
    for (int partition = *first; partition <= *last; ++partition) partitions.push_back(partition);
  }
  return partitions;
}

StartOffset parse_start_offset(const std::string& text) {
  using Kind = StartOffset::Kind;
  static const std::map<std::string_view, Kind> kinds = {{"auto", Kind::kAuto},
                                                         {"latest", Kind::kLatest},
                                                         {"earliest", Kind::kEarliest},
                                                         {"committed", Kind::kCommitted},
                                                         {"timestamp", Kind::kTimestamp}};
  if (const auto kind = kinds.find(text); kind != kinds.end()) return {.kind = kind->second};
  if (const auto number = to_number<std::int64_t>(text)) return {.kind = Kind::kNumber, .number = *number};
  throw Failure(
      "\"" + text +
      "\" is no place to start; set the property start-offset to auto, latest, earliest, committed, timestamp "
      "or a number.");
}

std::int64_t parse_time(const std::string& property, const std::string& text) {
  const auto time = from_rfc3339(text);
  if (time) return static_cast<std::int64_t>(*time / kNsPerMs);
  throw Failure("\"" + text + "\" is no time; write one such as 2026-11-23T03:21:46Z in the property " + property +
                ".");
}

}  // namespace gkv
