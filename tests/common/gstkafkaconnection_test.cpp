#include <gst/gst.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "common/failure.h"
#include "common/glue/gstkafkaconnection.h"

namespace gkv {
namespace {

class KafkaConnectionConfig : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  /// The settings that a pipeline's config="…" becomes, as text; or the failure's.
  static std::string read(const std::string& text) {
    const std::unique_ptr<GstStructure, decltype(&gst_structure_free)> structure(
        gst_structure_from_string(text.c_str(), nullptr), gst_structure_free);
    std::string result;
    try {
      for (const kafka::Setting& setting : to_settings(structure.get())) {
        result += setting.key + "=" + setting.value + " ";
      }
    } catch (const Failure& failure) {
      return failure.what();
    }
    return result;
  }
};

TEST_F(KafkaConnectionConfig, TakesNumbersAndBooleansForKeysThatAreSuch) {
  EXPECT_EQ(read("c,linger.ms=5,enable.idempotence=true,security.protocol=plaintext"),
            "linger.ms=5 enable.idempotence=true security.protocol=plaintext ");
  EXPECT_EQ(read("c,linger.ms=0.5"), "linger.ms=0.5 ");
  EXPECT_EQ(read("c,acks=-1"), "acks=-1 ");
}

TEST_F(KafkaConnectionConfig, TakesTextThatIsWrittenAsText) {
  EXPECT_EQ(read("c,sasl.password=(string)007,client.id=(string)1.10"), "sasl.password=007 client.id=1.10 ");
}

TEST_F(KafkaConnectionConfig, RefusesWhatGStreamerHasMadeANumberOfAndShowsHowToWriteIt) {
  for (const std::string value : {"007", "1.10", "true", "1/2"}) {
    const std::string failure = read("c,sasl.password=" + value);
    EXPECT_NE(failure.find("write it as sasl.password=(string)VALUE in the property config."), std::string::npos)
        << value << ": " << failure;
    EXPECT_EQ(failure.find(value), std::string::npos) << "a password is shown: " << failure;
  }
}

}  // namespace
}  // namespace gkv
