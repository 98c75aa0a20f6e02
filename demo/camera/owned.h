#pragma once

#include <gst/gst.h>

#include <memory>

namespace gkv {

/// Calls a C library's release function, as the deleter of a unique_ptr.
template <auto release>
struct Releaser {
  template <typename T>
  void operator()(T* object) const {
    release(object);
  }
};

using ElementPointer = std::unique_ptr<GstElement, Releaser<gst_object_unref>>;
using BusPointer = std::unique_ptr<GstBus, Releaser<gst_object_unref>>;
using PadPointer = std::unique_ptr<GstPad, Releaser<gst_object_unref>>;
using MessagePointer = std::unique_ptr<GstMessage, Releaser<gst_message_unref>>;
using SamplePointer = std::unique_ptr<GstSample, Releaser<gst_sample_unref>>;
using ErrorPointer = std::unique_ptr<GError, Releaser<g_error_free>>;
using StringPointer = std::unique_ptr<gchar, Releaser<g_free>>;

}  // namespace gkv
