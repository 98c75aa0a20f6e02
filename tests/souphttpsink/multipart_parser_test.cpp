#include "souphttpsink/multipart_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using gkv::BytesPtr;
using gkv::make_bytes;
using gkv::MultipartParser;

namespace {

std::string part(const std::string& body, const std::string& boundary = "B") {
  return "--" + boundary + "\r\nContent-Type: image/jpeg\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body + "\r\n";
}

std::vector<std::string> parse(MultipartParser& parser, const std::string& stream, std::size_t chunk_size) {
  std::vector<std::string> bodies;
  for (std::size_t at = 0; at < stream.size(); at += chunk_size) {
    for (const auto& body : parser.push(make_bytes(stream.substr(at, chunk_size)))) {
      bodies.emplace_back(gkv::view(body));
    }
  }
  return bodies;
}

using Bodies = std::vector<std::string>;

TEST(MultipartParser, HandsOnABodyBufferWithoutCopying) {
  MultipartParser parser("B");
  EXPECT_TRUE(parser.push(make_bytes("--B\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\n\r\n")).empty());
  auto body = make_bytes("JPEG!");
  const auto* address = g_bytes_get_data(body.get(), nullptr);
  const auto bodies = parser.push(std::move(body));
  ASSERT_EQ(bodies.size(), 1U);
  EXPECT_EQ(g_bytes_get_data(bodies[0].get(), nullptr), address);
  EXPECT_TRUE(parser.push(make_bytes("\r\n")).empty());
  EXPECT_EQ(parser.malformed(), 0U);
}

TEST(MultipartParser, CopesWithAnyChunking) {
  const auto stream = part("first") + part("\r\n--not the boundary\r\n") + part(std::string(3000, 'x')) + "--B--\r\n";
  for (const std::size_t size : {1, 2, 3, 7, 64, 1000, 100000}) {
    MultipartParser parser("B");
    EXPECT_EQ(parse(parser, stream, size), (Bodies{"first", "\r\n--not the boundary\r\n", std::string(3000, 'x')}))
        << "chunks of " << size;
    EXPECT_EQ(parser.malformed(), 0U);
  }
}

TEST(MultipartParser, TakesTheBoundaryFromTheFirstLineWhenCapsHaveNone) {
  MultipartParser parser("");
  EXPECT_EQ(parse(parser, part("one", "xyz") + part("two", "xyz"), 10), (Bodies{"one", "two"}));
}

TEST(MultipartParser, EndsAPartWithoutContentLengthAtTheNextBoundary) {
  const std::string head = "--B\r\nContent-Type: image/jpeg\r\n\r\n";
  for (const std::size_t size : {1, 5, 1000}) {
    MultipartParser parser("B");
    EXPECT_EQ(parse(parser, head + "one\r\n" + head + "two\r\n--B\r\n", size), (Bodies{"one", "two"}));
    EXPECT_EQ(parser.malformed(), 0U);
  }
}

TEST(MultipartParser, AcceptsLineFeedsAloneAndHeadersInAnyCase) {
  MultipartParser parser("B");
  EXPECT_EQ(parse(parser, "--B\ncontent-type: IMAGE/JPEG\ncontent-length: 3\n\none\n--B\n", 1000), (Bodies{"one"}));
}

struct Damage {
  const char* name;
  std::string bytes;
};

class MultipartParserDamage : public testing::TestWithParam<Damage> {};

TEST_P(MultipartParserDamage, IsCountedAndTheStreamGoesOn) {
  const auto stream = part("before") + GetParam().bytes + part("after") + part("later");
  for (const std::size_t size : {1, 9, 200, 1000000}) {
    MultipartParser parser("B");
    const auto bodies = parse(parser, stream, size);
    ASSERT_GE(bodies.size(), 2U) << "chunks of " << size;
    EXPECT_EQ(bodies.front(), "before");
    EXPECT_EQ(bodies.back(), "later");
    EXPECT_GE(parser.malformed(), 1U);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, MultipartParserDamage,
    testing::Values(Damage{"garbage", "what is this?\r\nanother line\r\n"},
                    Damage{"other_boundary", part("x", "OTHER")}, Damage{"longer_boundary", part("x", "BB")},
                    Damage{"boundary_line_without_end", "--B" + std::string(40000, '-') + "\r\n"},
                    Damage{"length_is_no_number", "--B\r\nContent-Length: five\r\n\r\nfives\r\n"},
                    Damage{"length_is_negative", "--B\r\nContent-Length: -5\r\n\r\nfives\r\n"},
                    Damage{"length_is_huge", "--B\r\nContent-Length: 99999999999\r\n\r\nfives\r\n"},
                    Damage{"length_is_short", "--B\r\nContent-Length: 2\r\n\r\nfives\r\n"},
                    Damage{"body_is_empty", "--B\r\nContent-Length: 0\r\n\r\n\r\n"},
                    Damage{"no_picture", "--B\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi\r\n"},
                    Damage{"headers_without_end", "--B\r\n" + std::string(40000, 'h') + "\r\n"},
                    Damage{"zero_bytes", std::string(50000, '\0') + "\r\n"}),
    [](const auto& info) { return info.param.name; });

TEST(MultipartParser, NeverHoldsMoreThanAPartMayBe) {
  MultipartParser parser("B");
  const auto megabyte = std::string(1 << 20, 'x');
  parser.push(make_bytes("--B\r\nContent-Type: image/jpeg\r\n\r\n"));
  for (std::size_t sent = 0; sent <= MultipartParser::kMaxBodyBytes; sent += megabyte.size()) {
    EXPECT_TRUE(parser.push(make_bytes(megabyte)).empty());
  }
  EXPECT_EQ(parser.malformed(), 1U);
  EXPECT_EQ(parse(parser, "\r\n" + part("after"), 1000), (Bodies{"after"}));
}

}  // namespace
