#include "textoverlaylabels/label_lines.h"

#include <gtest/gtest.h>

namespace gkv {
namespace {

using Lines = std::vector<std::string>;

TEST(LabelLines, OneLineForEachModelInTheOrderOfTheResults) {
  EXPECT_EQ(
      label_lines({{.model = "imagenet_2", .label = "tabby"}, {.model = "imagenet_1", .label = "bow tie, bowtie"}}),
      (Lines{"imagenet_2 : tabby", "imagenet_1 : bow tie, bowtie"}));
}

TEST(LabelLines, NothingUntilTheModelAnswers) {
  EXPECT_EQ(label_lines({{.model = "imagenet_1", .label = std::nullopt}}), Lines{"imagenet_1 : Nothing"});
}

TEST(LabelLines, AnEmptyLabelIsAnAnswer) { EXPECT_EQ(label_lines({{.model = "m", .label = ""}}), Lines{"m : "}); }

TEST(LabelLines, NoResultsNoLines) { EXPECT_TRUE(label_lines({}).empty()); }

}  // namespace
}  // namespace gkv
