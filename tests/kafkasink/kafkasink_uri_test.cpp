#include "kafkasink_fixture.h"

namespace gkv {
namespace {

using testing::HasSubstr;
using testing::Not;

class KafkaSinkUri : public test::KafkaSinkTest {
 protected:
  /// What is wrong with the URI; empty: nothing.
  static std::string failure_of(const std::string& uri) {
    GError* error = nullptr;
    GstElement* sink = gst_element_make_from_uri(GST_URI_SINK, uri.c_str(), nullptr, &error);
    if (sink) {
      gst_object_unref(gst_object_ref_sink(sink));
      return "";
    }
    const std::string text = error->message;
    g_error_free(error);
    return text;
  }
};

TEST_F(KafkaSinkUri, AQueryCannotSetWhatWouldBeShownOrIsSaidElsewhere) {
  EXPECT_THAT(failure_of("kafka://b:1/t?config=c,sasl.password=hunter2"), HasSubstr("set config-file instead"));
  for (const std::string property : {"name", "topic", "bootstrap-servers"}) {
    EXPECT_THAT(failure_of("kafka://b:1/t?" + property + "=x"), HasSubstr("cannot set the property " + property));
  }
  EXPECT_EQ(failure_of("kafka://b:1/t?config-file=/etc/kafka.conf&max-age=7"), "");
}

TEST_F(KafkaSinkUri, AnErrorShowsNoValue) {
  for (const std::string query : {"config=sasl.password=hun%40ter2", "max-age=hun%40ter2", "delivery=hun%40ter2"}) {
    const std::string failure = failure_of("kafka://b:1/t?" + query);
    EXPECT_NE(failure, "");
    EXPECT_THAT(failure, Not(HasSubstr("ter2")));
  }
}

TEST_F(KafkaSinkUri, CannotBeChangedOnceTheSinkHasTakenItOver) {
  test::Pipeline pipeline = make();
  auto* handler = GST_URI_HANDLER(pipeline.element("sink"));
  EXPECT_TRUE(gst_uri_handler_set_uri(handler, "kafka://b:1/t", nullptr));
  pipeline.set_state(GST_STATE_READY);
  GError* error = nullptr;
  ASSERT_FALSE(gst_uri_handler_set_uri(handler, "kafka://c:1/u", &error));
  EXPECT_STREQ(error->message, "The URI cannot be changed while the element is in use.");
  g_error_free(error);
}

}  // namespace
}  // namespace gkv
