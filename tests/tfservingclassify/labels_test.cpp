#include "labels.h"

#include <glib.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/failure.h"

namespace gkv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Labels, ReadsEachForm) {
  EXPECT_THAT(parse_labels(R"({"1":"goldfish","0":"tench, Tinca tinca","3":"ray"})"),
              ElementsAre("tench, Tinca tinca", "goldfish", "", "ray"));
  EXPECT_THAT(parse_labels(R"( ["a", "b"] )"), ElementsAre("a", "b"));
  EXPECT_THAT(parse_labels("a\r\nb c\n\nd"), ElementsAre("a", "b c", "", "d"));
  EXPECT_THAT(parse_labels("a\nb\n"), ElementsAre("a", "b"));
  EXPECT_THAT(parse_labels("\xef\xbb\xbf[\"a\"]"), ElementsAre("a"));
}

class BadLabels : public testing::TestWithParam<std::string> {};

TEST_P(BadLabels, AreRefused) { EXPECT_THROW(parse_labels(GetParam()), Failure); }

INSTANTIATE_TEST_SUITE_P(, BadLabels,
                         testing::Values("", "\n\n", "{", "{}", "[]", "[1]", R"({"x":"a"})", R"({"-1":"a"})",
                                         R"({"1x":"a"})", R"({"99999999999":"a"})", R"({"4000000000":"a"})",
                                         R"({"0":{}})", "\xff\xfe", std::string(100000, '[')));

TEST(Labels, FileIsReadByPathAndUrl) {
  const auto path = std::filesystem::temp_directory_path() / ("labels test " + std::to_string(getpid()));
  std::ofstream(path) << "cat\ndog\n";
  EXPECT_THAT(read_labels(path.string()), ElementsAre("cat", "dog"));
  gchar* url = g_filename_to_uri(path.c_str(), nullptr, nullptr);
  EXPECT_THAT(read_labels(url), ElementsAre("cat", "dog"));
  g_free(url);
  std::filesystem::remove(path);
}

TEST(Labels, MissingFileNamesTheProperty) {
  for (const char* location : {"/no/such/file", "file:///no/such/file", "file://host/x", "/"}) {
    try {
      read_labels(location);
      FAIL() << location;
    } catch (const Failure& failure) {
      EXPECT_THAT(failure.what(), HasSubstr("label-urls"));
      EXPECT_THAT(failure.what(), HasSubstr(location));
      EXPECT_NE(failure.detail(), "");
    }
  }
}

TEST(LabelOf, CountsABackgroundClassWhereThereIsOne) {
  const Labels labels = {"a", "b", ""};
  EXPECT_EQ(label_of({.class_id = 1, .outputs = 4}, labels), "a");
  EXPECT_EQ(label_of({.class_id = 1, .outputs = 3}, labels), "b");
  EXPECT_EQ(label_of({.class_id = 1, .outputs = 0}, labels), "a");
}

TEST(LabelOf, UnknownClassIsNothing) {
  const Labels labels = {"a", "b", ""};
  EXPECT_EQ(label_of({.class_id = 0, .outputs = 4}, labels), "Nothing");
  EXPECT_EQ(label_of({.class_id = 2, .outputs = 3}, labels), "Nothing");
  EXPECT_EQ(label_of({.class_id = 2147483647, .outputs = 3}, labels), "Nothing");
  EXPECT_EQ(label_of({.class_id = -2147483647 - 1, .outputs = 0}, labels), "Nothing");
}

TEST(LabelOf, WithoutLabelsIsTheNumber) { EXPECT_EQ(label_of({.class_id = 281, .outputs = 1001}, {}), "281"); }

}  // namespace
}  // namespace gkv
