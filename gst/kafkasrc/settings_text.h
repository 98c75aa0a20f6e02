#pragma once

#include <string>
#include <vector>

#include "offsets.h"

namespace gkv {

/// The parts of a text with commas between, without the space around them; empty parts are left out.
std::vector<std::string> split(const std::string& text);

/// Topics: names with commas between, or one regular expression, which begins with ^ and may contain commas.
std::vector<std::string> parse_topics(const std::string& text);

/// Partition numbers such as `0,2-4`. @throws Failure that names the property
std::vector<int> parse_partitions(const std::string& text);

/// `auto`, `latest`, `earliest`, `committed`, `timestamp` or a number. @throws Failure that names the property
StartOffset parse_start_offset(const std::string& text);

/// An RFC 3339 time as Unix ms. @throws Failure that names the property
std::int64_t parse_time(const std::string& property, const std::string& text);

}  // namespace gkv
