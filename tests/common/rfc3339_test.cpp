#include "common/frame/rfc3339.h"

#include <gtest/gtest.h>

namespace gkv {
namespace {

constexpr std::uint64_t kExample =
    1'795'404'106'123'456'789;  // `date -u -d 2026-11-23T03:21:46Z +%s`, and the fraction

TEST(Rfc3339, WritesNanoseconds) { EXPECT_EQ(to_rfc3339(kExample), "2026-11-23T03:21:46.123456789Z"); }

TEST(Rfc3339, ReadsWhatItWrites) {
  for (const std::uint64_t time : {std::uint64_t{0}, std::uint64_t{951'782'400'000'000'000}, kExample}) {
    EXPECT_EQ(from_rfc3339(to_rfc3339(time)), time);
  }
}

TEST(Rfc3339, ReadsOtherFractionsAndZones) {
  EXPECT_EQ(from_rfc3339("2026-11-23T03:21:46Z"), kExample / 1'000'000'000 * 1'000'000'000);
  EXPECT_EQ(from_rfc3339("2026-11-23T03:21:46.5Z"), kExample / 1'000'000'000 * 1'000'000'000 + 500'000'000);
  EXPECT_EQ(from_rfc3339("2026-11-23T04:51:46.123456789+01:30"), kExample);
  EXPECT_EQ(from_rfc3339("2026-11-22T22:21:46.123456789-05:00"), kExample);
}

TEST(Rfc3339, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "2026", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T03:21:46",
        "2026-11-23T03:21:46.Z", "2026-11-23T03:21:46.1234567890Z", "2026-11-23T03:21:46Zx", "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+01:00", "9999-01-01T00:00:00Z", "-026-11-23T03:21:46Z"}) {
    EXPECT_FALSE(from_rfc3339(text)) << text;
  }
}

}  // namespace
}  // namespace gkv
