#include "common/json/json.h"

#include <gtest/gtest.h>

#include <string>

#include "common/failure.h"

namespace gkv {
namespace {

TEST(Json, ReadsNonFiniteNumbersAsNull) {
  EXPECT_EQ(to_json(parse_json(R"({"a": [NaN, Infinity, -Infinity, 1.5]})").get()), R"({"a":[null,null,null,1.5]})");
}

TEST(Json, LeavesStringsAlone) {
  EXPECT_EQ(to_json(parse_json(R"(["NaN", "a\"[[", "Infinity"])").get()), R"(["NaN","a\"[[","Infinity"])");
}

TEST(Json, RefusesDeepNestingBeforeTheParserRecurses) {
  EXPECT_THROW(parse_json(std::string(200'000, '[')), Failure);
  EXPECT_NO_THROW(parse_json(std::string(64, '[') + std::string(64, ']')));
  EXPECT_THROW(parse_json(std::string(65, '[') + std::string(65, ']')), Failure);
}

TEST(Json, NestingIsNotHiddenBehindAComment) {
  EXPECT_THROW(parse_json("/*\"*/" + std::string(200'000, '[')), Failure);
  EXPECT_THROW(parse_json("//\"\n" + std::string(200'000, '[')), Failure);
  EXPECT_THROW(parse_json("['\"'," + std::string(200'000, '[')), Failure);
  EXPECT_NO_THROW(parse_json(R"(["/* it's a string */"])"));
}

TEST(Json, RefusesWhatIsNoJson) {
  for (const char* text : {"", " ", "{", "[1,", "{\"a\":}", "nan", "\"\\", "]"}) {
    EXPECT_THROW(parse_json(text), Failure) << text;
  }
}

}  // namespace
}  // namespace gkv
