#pragma once

#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "mock_kafka.h"
#include "pipeline.h"

namespace gkv::test {

struct SampleUnref {
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
};
using SamplePtr = std::unique_ptr<GstSample, SampleUnref>;

inline std::string bytes_of(GstBuffer* buffer) {
  std::string bytes(gst_buffer_get_size(buffer), '\0');
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

class KafkaSrcTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  Pipeline make(const std::string& properties) {
    return Pipeline("kafkasrc " + connection() + " " + properties + " ! appsink name=sink sync=false");
  }
  std::string connection() {
    return "config=\"c,fetch.wait.max.ms=5,session.timeout.ms=6000\" bootstrap-servers=" + kafka_.bootstrap_servers();
  }
  Pipeline make_reader(const std::string& properties = "") {
    return make("topic=videocam mode=stream start-offset=earliest " + properties);
  }
  static SamplePtr pull(Pipeline& pipeline) {
    GstSample* sample = nullptr;
    g_signal_emit_by_name(pipeline.element("sink"), "try-pull-sample", 20 * GST_SECOND, &sample);
    if (!sample) throw std::runtime_error("no frame came");
    return SamplePtr(sample);
  }
  static std::string caps_of(const SamplePtr& sample) {
    gchar* text = gst_caps_to_string(gst_sample_get_caps(sample.get()));
    std::string caps = text;
    g_free(text);
    return caps;
  }

  MockKafka kafka_{"videocam"};
};

}  // namespace gkv::test
