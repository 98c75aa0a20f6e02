#include <gst/gst.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "common/glue/gstkafkaevents.h"

namespace gkv {
namespace {

std::map<std::string, std::string> settings_at(GstDebugLevel threshold) {
  gst_init(nullptr, nullptr);
  GstDebugCategory* category = nullptr;
  GST_DEBUG_CATEGORY_INIT(category, "kafkalogtest", 0, "test");
  gst_debug_category_set_threshold(category, threshold);
  std::map<std::string, std::string> settings;
  for (const kafka::Setting& setting : log_settings(category)) settings[setting.key] = setting.value;
  return settings;
}

TEST(KafkaLog, FollowsTheCategory) {
  EXPECT_EQ(settings_at(GST_LEVEL_NONE)["log_level"], "0");
  EXPECT_EQ(settings_at(GST_LEVEL_WARNING)["log_level"], "3");
  EXPECT_EQ(settings_at(GST_LEVEL_INFO)["log_level"], "4");
  EXPECT_EQ(settings_at(GST_LEVEL_DEBUG)["log_level"], "6");
  EXPECT_EQ(settings_at(GST_LEVEL_DEBUG).count("debug"), 0U);
  EXPECT_EQ(settings_at(GST_LEVEL_LOG)["log_level"], "7");
  EXPECT_EQ(settings_at(GST_LEVEL_TRACE)["debug"], "all");
}

}  // namespace
}  // namespace gkv
