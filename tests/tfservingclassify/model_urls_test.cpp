#include "model_urls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/failure.h"

namespace gkv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kUrl = "http://tfserving-service:8501/v1/models/tfModel:predict";

TEST(ModelUrls, OneUrlGivesTheModelItsNameFromThePath) {
  EXPECT_THAT(parse_model_urls(kUrl), ElementsAre(ModelTarget{"tfModel", kUrl, ""}));
  EXPECT_EQ(parse_model_urls("https://h/proxy/v1/models/a%20b/versions/12:predict").at(0).name, "a b");
  EXPECT_EQ(parse_model_urls("https://h/v1/models/m/versions/12:predict").at(0).version, "12");
  EXPECT_EQ(parse_model_urls("http://[::1]:8501/v1/models/m/labels/canary:predict").at(0).version, "");
}

TEST(ModelUrls, JsonObjectKeepsItsOrder) {
  const auto models = parse_model_urls(
      "\n {\n\"z\":\"http://h:1/v1/models/m:predict\",\n"
      "\"a\":\" http://h:2/v1/models/m:predict \"}\n");
  ASSERT_EQ(models.size(), 2U);
  EXPECT_EQ(models[0].name, "z");
  EXPECT_EQ(models[1], (ModelTarget{"a", "http://h:2/v1/models/m:predict", ""}));
}

class BadModelUrls : public testing::TestWithParam<const char*> {};

TEST_P(BadModelUrls, AreRefusedByTheNameOfTheProperty) {
  try {
    parse_model_urls(GetParam());
    FAIL() << "accepted";
  } catch (const Failure& failure) {
    EXPECT_THAT(failure.what(), HasSubstr("model-urls"));
  }
}

INSTANTIATE_TEST_SUITE_P(, BadModelUrls,
                         testing::Values("", "  ", "no url", "http://", "http:///v1/models/m:predict",
                                         "http://h:99999/v1/models/m:predict", "grpc://h:8500/m",
                                         "ftp://h/v1/models/m:predict", "http://h/v1/models/m",
                                         "http://h/v1/models/:predict", "http://h/v1/models/m:classify",
                                         "http://h/v1/models/m:predict?x", "http://h/v1/models/m:predict#x",
                                         "http://h/v1/models/m/versions/x:predict",
                                         "http://user:secret@h/v1/models/m:predict", "{", "{}", "{\"m\":1}",
                                         "{\"m\":null}", "{\"\":\"http://h/v1/models/m:predict\"}",
                                         "{\"m\":\"http://h/v1/models/m\"}", "[\"http://h/v1/models/m:predict\"]"));

TEST(ModelUrls, NeverRepeatAPassword) {
  try {
    parse_model_urls("http://user:secret@h/v1/models/m:predict");
  } catch (const Failure& failure) {
    EXPECT_THAT(failure.what() + failure.detail(), testing::Not(HasSubstr("secret")));
  }
}

class LabelUrls : public testing::Test {
 protected:
  std::vector<ModelTarget> models_ = {{"a", "", ""}, {"b", "", ""}};
};

TEST_F(LabelUrls, OneLocationIsForAllModels) {
  EXPECT_THAT(parse_label_urls("/etc/labels.txt", models_), ElementsAre("/etc/labels.txt", "/etc/labels.txt"));
  EXPECT_THAT(parse_label_urls("", models_), ElementsAre("", ""));
}

TEST_F(LabelUrls, JsonObjectIsByModelName) {
  EXPECT_THAT(parse_label_urls(R"({"b":"/b","c":"/c","a":"http://h/a"})", models_), ElementsAre("http://h/a", "/b"));
}

TEST_F(LabelUrls, AModelLeftOutIsRefused) {
  for (const char* text : {R"({"a":"/a"})", R"({"a":"/a","b":7})", "{", "{}"}) {
    try {
      parse_label_urls(text, models_);
      FAIL() << text;
    } catch (const Failure& failure) {
      EXPECT_THAT(failure.what(), HasSubstr("label-urls"));
    }
  }
}

}  // namespace
}  // namespace gkv
