#include "common/frame/headers.h"

#include <gtest/gtest.h>

#include <string>

namespace gkv {
namespace {

DecodedHeaders decoded(const std::vector<Header>& headers) {
  std::vector<HeaderView> views;
  views.reserve(headers.size());
  for (const Header& header : headers) views.push_back({header.name, header.value});
  return decode_headers(views);
}

FrameHeaders example() {
  return {.content_type = "image/jpeg",
          .caps = "image/jpeg, width=(int)640, height=(int)480",
          .id = "5f0c-42",
          .info = {.source = "camera-1",
                   .capture_time_ns = 1'795'404'106'123'456'789,
                   .stream = "b7e1",
                   .sequence = 42,
                   .foreign_headers = {{"traceparent", "00-aa-bb-01"}, {"bytes", std::string("\0\xff", 2)}}},
          .pts_ns = 40'000'000,
          .dts_ns = 20'000'000,
          .duration_ns = 40'000'000,
          .delta_unit = true,
          .discont = true,
          .classifications = {{.model = "m", .label = "cat", .class_id = 1, .confidence = 0.5}}};
}

TEST(Headers, AreThoseOfTheFrameMessage) {
  const std::vector<Header> expected = {
      {"content-type", "image/jpeg"},
      {"ce_specversion", "1.0"},
      {"ce_type", "gst-kafka-vision.frame.v1"},
      {"ce_source", "camera-1"},
      {"ce_id", "5f0c-42"},
      {"ce_stream", "b7e1"},
      {"ce_sequence", "42"},
      {"ce_time", "2026-11-23T03:21:46.123456789Z"},
      {"ce_caps", "image/jpeg, width=(int)640, height=(int)480"},
      {"ce_pts", "40000000"},
      {"ce_dts", "20000000"},
      {"ce_duration", "40000000"},
      {"ce_flags", "delta-unit,discont"},
      {"ce_classifications", R"([{"model":"m","label":"cat","class_id":1,"confidence":0.5}])"},
      {"traceparent", "00-aa-bb-01"},
      {"bytes", std::string("\0\xff", 2)},
  };
  EXPECT_EQ(encode_headers(example()), expected);
}

TEST(Headers, WhatIsUnknownIsLeftOut) {
  const std::vector<Header> expected = {
      {"content-type", "image/jpeg"}, {"ce_specversion", "1.0"}, {"ce_type", "gst-kafka-vision.frame.v1"}};
  EXPECT_EQ(encode_headers({.content_type = "image/jpeg"}), expected);
}

TEST(Headers, ReadsWhatItWrites) {
  const DecodedHeaders read = decoded(encode_headers(example()));
  EXPECT_TRUE(read.problems.empty());
  EXPECT_TRUE(read.unknown_type.empty());
  EXPECT_EQ(encode_headers(read.headers), encode_headers(example()));
  EXPECT_EQ(read.headers.info, example().info);
}

TEST(Headers, AMessageOfAnotherVersionIsNamed) {
  EXPECT_EQ(decoded({{"ce_type", "gst-kafka-vision.frame.v2"}}).unknown_type, "gst-kafka-vision.frame.v2");
  EXPECT_TRUE(decoded({{"ce_type", "com.example.order"}}).unknown_type.empty());
}

TEST(Headers, AMalformedHeaderIsIgnoredAndNamed) {
  const std::vector<Header> malformed = {
      {"ce_time", "yesterday"},
      {"ce_pts", "-1"},
      {"ce_dts", "99999999999999999999"},
      {"ce_duration", "1.5"},
      {"ce_pts", "18446744073709551615"},
      {"ce_sequence", ""},
      {"ce_sequence", "12x"},
      {"ce_classifications", "{}"},
      {"ce_classifications", std::string(100'000, '[')},
      {"ce_caps", std::string(65 * 1024, 'a')},
      {"ce_source", std::string("a\0b", 3)},
      {"ce_stream", "\xff"},
      {"ce_caps", "image/jpeg, a=" + std::string(60'000, '{')},
      {"ce_caps", "image/jpeg, a=" + std::string(60'000, '<')},
      {"ce_caps", "image/jpeg, a=" + std::string(60'000, '[')},
      {std::string(257, 'x'), "a foreign name that is too long"},
  };
  for (const Header& header : malformed) {
    const DecodedHeaders read = decoded({{"ce_id", "kept"}, header});
    EXPECT_EQ(read.problems.size(), 1U) << header.name << "=" << header.value.substr(0, 40);
    EXPECT_EQ(encode_headers(read.headers), encode_headers({.id = "kept"})) << header.name;
  }
}

TEST(Headers, OthersAreBounded) {
  const DecodedHeaders read = decoded(std::vector<Header>(40, {"x", "y"}));
  EXPECT_EQ(read.headers.info.foreign_headers.size(), 32U);
  EXPECT_EQ(read.problems.size(), 8U);
}

TEST(Headers, FlagsOfANewerSenderAreNoFault) {
  const DecodedHeaders read = decoded({{"ce_flags", "new,delta-unit"}});
  EXPECT_TRUE(read.problems.empty());
  EXPECT_TRUE(read.headers.delta_unit);
  EXPECT_FALSE(read.headers.discont);
}

}  // namespace
}  // namespace gkv
