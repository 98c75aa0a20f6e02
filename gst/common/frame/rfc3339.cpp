#include "common/frame/rfc3339.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <limits>

namespace gkv {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

/// Reads a time text from its start; the first mismatch makes everything after it fail.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return text_.empty(); }
  bool next_is(char wanted) const { return !text_.empty() && text_.front() == wanted; }

  void expect(std::string_view one_of) {
    ok_ = ok_ && !text_.empty() && one_of.find(text_.front()) != std::string_view::npos;
    if (ok_) text_.remove_prefix(1);
  }

  /// A number of exactly `digits` digits, from `low` to `high`.
  int number(std::size_t digits, int low, int high) {
    int value = 0;
    ok_ = ok_ && text_.size() >= digits;
    if (!ok_) return 0;
    for (const char digit : text_.substr(0, digits)) {
      ok_ = ok_ && digit >= '0' && digit <= '9';
      value = value * 10 + (digit - '0');
    }
    text_.remove_prefix(digits);
    ok_ = ok_ && value >= low && value <= high;
    return value;
  }

  /// One to nine digits behind the decimal point, in ns.
  nanoseconds fraction() {
    std::int64_t value = 0;
    int digits = 0;
    for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9' && digits < 9; ++digits) {
      value = value * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
    }
    ok_ = ok_ && digits > 0;
    for (; digits < 9; ++digits) value *= 10;
    return nanoseconds(value);
  }

  /// `Z`, or `+hh:mm` or `-hh:mm`.
  minutes zone() {
    if (next_is('Z') || next_is('z')) {
      text_.remove_prefix(1);
      return minutes(0);
    }
    const bool west = next_is('-');
    expect("+-");
    const int hour = number(2, 0, 23);
    expect(":");
    const minutes offset = hours(hour) + minutes(number(2, 0, 59));
    return west ? -offset : offset;
  }

 private:
  std::string_view text_;
  bool ok_ = true;
};

}  // namespace

std::string to_rfc3339(std::uint64_t unix_ns) {
  const std::chrono::sys_time<nanoseconds> time{nanoseconds(static_cast<std::int64_t>(unix_ns))};
  const auto day = std::chrono::floor<days>(time);
  const year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 64> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%09dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<std::uint64_t> from_rfc3339(std::string_view text) {
  Reader reader(text);
  const int year = reader.number(4, 1970, 2261);
  reader.expect("-");
  const int month = reader.number(2, 1, 12);
  reader.expect("-");
  const int day = reader.number(2, 1, 31);
  reader.expect("Tt ");
  const hours hour(reader.number(2, 0, 23));
  reader.expect(":");
  const minutes minute(reader.number(2, 0, 59));
  reader.expect(":");
  const seconds second(reader.number(2, 0, 60));  // 60: a leap second
  nanoseconds fraction(0);
  if (reader.next_is('.')) {
    reader.expect(".");
    fraction = reader.fraction();
  }
  const minutes zone = reader.zone();
  const year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day)));
  if (!reader.ok() || !reader.at_end() || !date.ok()) return std::nullopt;
  const auto since_epoch = sys_days(date).time_since_epoch() + hour + minute + second + fraction - zone;
  if (since_epoch < nanoseconds(0)) return std::nullopt;
  return static_cast<std::uint64_t>(nanoseconds(since_epoch).count());
}

}  // namespace gkv
