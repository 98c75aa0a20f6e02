#include "pipeline.h"

#include <stdexcept>

namespace gkv::test {
namespace {

constexpr GstClockTime kHang = 20 * GST_SECOND;

}  // namespace

Pipeline::Pipeline(const std::string& text) {
  GError* error = nullptr;
  pipeline_ = gst_parse_launch_full(text.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (!pipeline_) {
    const std::string words = error->message;
    g_error_free(error);
    throw std::runtime_error(words);
  }
  if (!GST_IS_PIPELINE(pipeline_)) {  // a single element comes without one
    GstElement* pipeline = gst_pipeline_new(nullptr);
    gst_bin_add(GST_BIN(pipeline), pipeline_);
    pipeline_ = pipeline;
  }
}

Pipeline::~Pipeline() {
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(pipeline_);
}

GstElement* Pipeline::element(const std::string& name) const {
  GstElement* element = gst_bin_get_by_name(GST_BIN(pipeline_), name.c_str());
  if (!element) throw std::runtime_error("no element " + name);
  gst_object_unref(element);
  return element;
}

MessagePtr Pipeline::wait_for(GstMessageType types) {
  GstBus* bus = gst_element_get_bus(pipeline_);
  GstMessage* message = gst_bus_timed_pop_filtered(bus, kHang, types);
  gst_object_unref(bus);
  if (!message) throw std::runtime_error("no such message came");
  return MessagePtr(message);
}

std::vector<MessagePtr> Pipeline::messages(GstMessageType types) {
  std::vector<MessagePtr> messages;
  GstBus* bus = gst_element_get_bus(pipeline_);
  while (GstMessage* message = gst_bus_pop_filtered(bus, types)) messages.emplace_back(message);
  gst_object_unref(bus);
  return messages;
}

std::string text_of(const MessagePtr& message) {
  GError* error = nullptr;
  switch (GST_MESSAGE_TYPE(message.get())) {
    case GST_MESSAGE_ERROR: gst_message_parse_error(message.get(), &error, nullptr); break;
    case GST_MESSAGE_WARNING: gst_message_parse_warning(message.get(), &error, nullptr); break;
    case GST_MESSAGE_INFO: gst_message_parse_info(message.get(), &error, nullptr); break;
    default: return "";
  }
  std::string text = error->message;
  g_error_free(error);
  return text;
}

guint64 stat(GstElement* element, const char* field) {
  GstStructure* stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  guint64 value = 0;
  const bool found = gst_structure_get_uint64(stats, field, &value);
  gst_structure_free(stats);
  if (!found) throw std::runtime_error(std::string("no such statistic: ") + field);
  return value;
}

}  // namespace gkv::test
