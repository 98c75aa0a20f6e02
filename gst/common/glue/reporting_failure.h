#pragma once

#include <gst/gst.h>

#include <exception>
#include <string>
#include <utility>

#include "common/failure.h"

namespace gkv {

/// Posts an ERROR on the bus: the stream ends. Safe from any thread.
inline void post_error(gpointer element, const Failure& failure) {
  GST_ELEMENT_ERROR(element, RESOURCE, FAILED, ("%s", failure.what()), ("%s", failure.detail().c_str()));
}

/// Posts a WARNING on the bus: the stream goes on. Safe from any thread.
inline void post_warning(gpointer element, const Failure& failure) {
  GST_ELEMENT_WARNING(element, RESOURCE, FAILED, ("%s", failure.what()), ("%s", failure.detail().c_str()));
}

/// Posts an INFO on the bus. Safe from any thread.
inline void post_info(gpointer element, const std::string& text) {
  // gst-launch-1.0 prints the second text alone.
  GST_ELEMENT_INFO(element, RESOURCE, FAILED, ("%s", text.c_str()), ("%s", text.c_str()));
}

/// Runs the body of a virtual function. GStreamer is C: an exception that left it would end the process,
/// so it becomes an ERROR message on the bus and `on_failure` is returned.
template <typename Result, typename Body>
Result reporting_failure(gpointer element, Result on_failure, Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (const Failure& failure) {
    post_error(element, failure);
  } catch (const std::exception& exception) {
    GST_ELEMENT_ERROR(element, LIBRARY, FAILED, (nullptr), ("%s", exception.what()));
  }
  return on_failure;
}

}  // namespace gkv
