#pragma once

#include <gst/check/gstharness.h>
#include <gtest/gtest.h>

#include <cctype>
#include <memory>
#include <string>

#include "common/frame/gstframemeta.h"
#include "model_server.h"

namespace gkv::test {

inline constexpr guint kHangMs = 20000;
inline constexpr const char* kJpegCaps = "image/jpeg,width=4,height=4";

struct Unref {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstMessage* message) const { gst_message_unref(message); }
};
using BufferPtr = std::unique_ptr<GstBuffer, Unref>;
using MessagePtr = std::unique_ptr<GstMessage, Unref>;

/// The picture is the number of the class; what is no number (a real JPEG) is class 1.
inline Reply answer(const std::string&, const std::string& picture) {
  return test::prediction(std::isdigit(static_cast<unsigned char>(picture[0])) ? std::stoi(picture) : 1, 4);
}
inline Reply held_answer(const std::string& path, const std::string& picture) {
  Reply reply = answer(path, picture);
  reply.held = true;
  return reply;
}

inline GstBuffer* frame(const std::string& bytes, const std::string& source = "cam") {
  GstBuffer* buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
  set_frame_info(buffer, {.source = source, .capture_time_ns = 42});
  return buffer;
}

inline std::string label_of(GstBuffer* buffer, std::size_t model = 0) {
  return classifications(buffer).at(model).label.value_or("(none)");
}

/// A tfservingclassify in a harness, with its bus.
class Element {
 public:
  explicit Element(const std::string& properties)
      : harness_(gst_harness_new_parse(("tfservingclassify name=it " + properties).c_str())), bus_(gst_bus_new()) {
    element_ = gst_bin_get_by_name(GST_BIN(harness_->element), "it");
    gst_element_set_bus(harness_->element, bus_);
  }
  Element(const Element&) = delete;
  Element& operator=(const Element&) = delete;
  ~Element() {
    gst_element_set_bus(harness_->element, nullptr);
    gst_object_unref(element_);
    gst_harness_teardown(harness_);
    gst_object_unref(bus_);
  }

  void set_caps(const char* caps = kJpegCaps) { gst_harness_set_src_caps_str(harness_, caps); }
  GstFlowReturn push(GstBuffer* buffer) { return gst_harness_push(harness_, buffer); }
  BufferPtr pull() { return BufferPtr(gst_harness_pull(harness_)); }
  BufferPtr through(GstBuffer* buffer) {
    EXPECT_EQ(push(buffer), GST_FLOW_OK);
    return pull();
  }
  bool event(GstEvent* event) { return gst_harness_push_event(harness_, event); }

  /// The next message of these kinds, or null when it does not come.
  MessagePtr message(int types) {
    return MessagePtr(gst_bus_timed_pop_filtered(bus_, kHangMs * GST_MSECOND, static_cast<GstMessageType>(types)));
  }
  /// How many messages of these kinds are there, which are then gone.
  int count_messages(int types) {
    int count = 0;
    while (MessagePtr(gst_bus_pop_filtered(bus_, static_cast<GstMessageType>(types)))) ++count;
    return count;
  }
  GstElement* get() { return element_; }
  GstHarness* harness() { return harness_; }

 private:
  GstHarness* harness_;
  GstBus* bus_;
  GstElement* element_;
};

inline std::string text_of(GstMessage* message) {
  GError* error = nullptr;
  gchar* debug = nullptr;
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR: gst_message_parse_error(message, &error, &debug); break;
    case GST_MESSAGE_WARNING: gst_message_parse_warning(message, &error, &debug); break;
    default: gst_message_parse_info(message, &error, &debug);
  }
  std::string text = std::string(error->message) + " | " + debug;
  g_error_free(error);
  g_free(debug);
  return text;
}

inline std::string in_quotes(const std::string& json) {
  std::string text = "\"";
  for (char byte : json) text += byte == '"' ? std::string("\\\"") : std::string(1, byte);
  return text + "\"";
}

inline std::string model_urls(const ModelServer& server) { return "model-urls=" + server.predict_url("m") + " "; }

inline std::string two_models(const ModelServer& server) {
  return "model-urls=" +
         in_quotes(R"({"z":")" + server.predict_url("m") + R"(","a":")" + server.predict_url("n") + R"("})") + " ";
}

}  // namespace gkv::test
