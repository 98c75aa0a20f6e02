#include <glib.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/failure.h"
#include "predict_request.h"
#include "predict_response.h"

namespace gkv {
namespace {

std::string request_for(std::string_view picture) { return predict_request(std::as_bytes(std::span(picture))); }

TEST(PredictRequest, HoldsThePictureInBase64) {
  EXPECT_EQ(request_for("\xff\xd8\xff\xe0"), R"({"instances":[{"image_bytes":{"b64":"/9j/4A=="}}]})");
  EXPECT_EQ(request_for("Man"), R"({"instances":[{"image_bytes":{"b64":"TWFu"}}]})");
  EXPECT_EQ(request_for(""), R"({"instances":[{"image_bytes":{"b64":""}}]})");
}

TEST(PredictRequest, HoldsAnyLength) {
  for (std::size_t size = 1; size < 200; ++size) {
    const std::string picture(size, static_cast<char>(size));
    const std::string body = request_for(picture);
    const auto start = body.find("b64\":\"") + 6;
    const std::string text = body.substr(start, body.find('"', start) - start);
    gsize decoded = 0;
    guchar* bytes = g_base64_decode(text.c_str(), &decoded);
    EXPECT_EQ(std::string(reinterpret_cast<char*>(bytes), decoded), picture);
    g_free(bytes);
  }
}

struct Case {
  const char* body;
  Prediction expected;
};

class Answers : public testing::TestWithParam<Case> {};

TEST_P(Answers, AreUnderstood) {
  const Prediction found = parse_prediction(GetParam().body);
  EXPECT_EQ(found.class_id, GetParam().expected.class_id);
  EXPECT_EQ(found.outputs, GetParam().expected.outputs);
  EXPECT_NEAR(found.confidence, GetParam().expected.confidence, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(
    , Answers,
    testing::Values(Case{R"({"predictions":[{"classes":2,"probabilities":[0.1,0.2,0.7]}]})", {2, 0.7, 3}},
                    Case{R"({ "predictions": [ { "probabilities": [0, 1], "classes": 0 } ], "more": [] })", {0, 0, 2}},
                    Case{R"({"predictions":[{"classes":7}]})", {7, 0, 0}}, Case{R"({"predictions":[7]})", {7, 0, 0}},
                    Case{R"({"predictions":[{"classes":9,"probabilities":[0.5]}]})", {9, 0, 1}},
                    Case{R"({"predictions":[[0.1,0.6,0.3]]})", {1, 0.6, 3}},
                    Case{R"({"predictions":[[-3,-1.5,-2]]})", {1, 0, 3}},
                    Case{R"({"predictions":[[12.5,3]]})", {0, 0, 2}},
                    Case{R"({"predictions":[{"probabilities":[0.2,0.8]}]})", {1, 0.8, 2}},
                    Case{R"({"predictions":[[NaN,0.2,Infinity,-Infinity,0.3,null,"9"]]})", {4, 0.3, 7}},
                    Case{R"({"predictions":[{"classes":1,"probabilities":[0.1,NaN]}]})", {1, 0, 2}},
                    Case{R"({"predictions":[{"classes":1,"probabilities":[0.1,1e999]}]})", {1, 0, 2}}));

class Nonsense : public testing::TestWithParam<std::string> {};

TEST_P(Nonsense, IsRefused) { EXPECT_THROW(parse_prediction(GetParam()), Failure); }

INSTANTIATE_TEST_SUITE_P(
    , Nonsense,
    testing::Values("", " ", "<html>", "null", "7", "[]", "{}", R"({"predictions":7})", R"({"predictions":{}})",
                    R"({"predictions":[]})", R"({"predictions":[null]})", R"({"predictions":["cat"]})",
                    R"({"predictions":[{}]})", R"({"predictions":[{"classes":"cat"}]})",
                    R"({"predictions":[{"classes":1.5}]})", R"({"predictions":[{"classes":[1]}]})",
                    R"({"predictions":[{"classes":null}]})", R"({"predictions":[{"classes":NaN}]})",
                    R"({"predictions":[{"classes":99999999999999999999999}]})",
                    R"({"predictions":[{"classes":4294967296}]})", R"({"predictions":[{"classes":-3}]})",
                    R"({"predictions":[{"classes":1,"probabilities":7}]})",
                    R"({"predictions":[{"classes":1,"probabilities":[]}]})", R"({"predictions":[[]]})",
                    R"({"predictions":[[NaN,NaN]]})", R"({"predictions":[["a"]]})", R"({"predictions":[[[0.1]]]})",
                    R"({"predictions":[{"classes":1,"probabilities":[0.1)", R"({"predictions":[{"classes":1}]} x)",
                    std::string(100000, '['), "{\"predictions\":" + std::string(100000, '['),
                    std::string("{\"predictions\":[7\0]}", 20), "\xff\xfe{}"));

TEST(RefusalWords, AreThoseOfTheServer) {
  EXPECT_EQ(refusal_words(R"-({"error":"Servable not found for request: Latest(m)"})-"),
            "Servable not found for request: Latest(m)");
  EXPECT_EQ(refusal_words(R"({"detail":"Not Found"})"), "Not Found");
  EXPECT_EQ(refusal_words("  no such model\r\n\x01"), "no such model");
}

TEST(RefusalWords, LeaveOutPagesAndAreShort) {
  EXPECT_EQ(refusal_words("<HTML><HEAD><TITLE>404 Not Found</TITLE></HEAD></HTML>"), "");
  EXPECT_EQ(refusal_words(R"({"error":7})"), "");
  EXPECT_EQ(refusal_words(R"({"error":)"), "");
  EXPECT_EQ(refusal_words("[1]"), "");
  EXPECT_EQ(refusal_words(""), "");
  const std::string words = refusal_words(std::string(100000, '\xff'));
  EXPECT_LE(words.size(), 1000U);
  EXPECT_TRUE(g_utf8_validate(words.c_str(), -1, nullptr));
}

}  // namespace
}  // namespace gkv
