#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>
#include <vector>

namespace gkv::test {

struct MessageUnref {
  void operator()(GstMessage* message) const { gst_message_unref(message); }
};
using MessagePtr = std::unique_ptr<GstMessage, MessageUnref>;

/// A pipeline from text, as gst-launch-1.0 takes it, for the length of a test.
class Pipeline {
 public:
  /// @throws std::runtime_error with GStreamer's words
  explicit Pipeline(const std::string& text);
  ~Pipeline();

  GstElement* get() const { return pipeline_; }
  /// Borrowed from the pipeline.
  GstElement* element(const std::string& name) const;
  GstStateChangeReturn set_state(GstState state) { return gst_element_set_state(pipeline_, state); }

  /// Waits for a message of one of the types. @throws std::runtime_error after a time that only bounds a hang
  MessagePtr wait_for(GstMessageType types);
  /// Takes the messages that are there now.
  std::vector<MessagePtr> messages(GstMessageType types);

 private:
  GstElement* pipeline_;
};

/// What a user reads of an ERROR, WARNING or INFO.
std::string text_of(const MessagePtr& message);

/// A number of an element's property `stats`.
guint64 stat(GstElement* element, const char* field);

}  // namespace gkv::test
