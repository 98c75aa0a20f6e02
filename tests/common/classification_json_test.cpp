#include "common/frame/classification_json.h"

#include <gtest/gtest.h>

#include "common/failure.h"

namespace gkv {
namespace {

TEST(ClassificationJson, ReadsWhatItWrites) {
  const std::vector<Classification> results = {
      {.model = "imagenet_1",
       .version = "1",
       .label = "tabby \"cat\"",
       .class_id = 281,
       .confidence = 0.93,
       .top = {{"tabby", 281, 0.93}, {"tiger cat", 282, 0.05}},
       .captured_ns = 1'795'404'106'123'456'789,
       .took_ns = 12'400'000},
      {.model = "patterns"},
  };
  EXPECT_EQ(classifications_from_json(classifications_to_json(results)), results);
}

TEST(ClassificationJson, AModelThatHasNotAnsweredHasANullLabel) {
  EXPECT_EQ(classifications_to_json({{.model = "m"}}), R"([{"model":"m","label":null}])");
}

TEST(ClassificationJson, IgnoresUnknownFields) {
  const auto results = classifications_from_json(R"([{"model":"m","label":"x","new":{"a":[1]}}])");
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].label, "x");
}

TEST(ClassificationJson, RefusesOtherShapes) {
  for (const char* text :
       {"{}", "1", "[1]", "[[]]", R"([{"model":1}])", R"([{"label":[]}])", R"([{"confidence":"x"}])",
        R"([{"confidence":1.5}])", R"([{"confidence":1e999}])", R"([{"class_id":1e30}])", R"([{"top":{}}])",
        R"([{"top":[1]}])", R"([{"captured":"yesterday"}])", R"([{"took_ms":-1}])", R"([{"took_ms":1e300}])"}) {
    EXPECT_THROW(classifications_from_json(text), Failure) << text;
  }
}

}  // namespace
}  // namespace gkv
