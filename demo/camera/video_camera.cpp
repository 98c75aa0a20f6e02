#include "video_camera.h"

namespace gkv {
namespace {

constexpr GstClockTime kOpenTimeout = 20 * GST_SECOND;

/// A loop is a row of segment seeks, which leave the running time continuous. `identity` makes that time the frames'
/// time stamps: the encoder sees one endless stream, not one that starts again.
std::string pipeline_text(const PictureFormat& format) {
  return "filesrc name=file ! decodebin ! videoconvert ! videoscale add-borders=true ! identity single-segment=true"
         " ! videorate ! " +
         encoder_text(format, true);
}

}  // namespace

VideoCamera::VideoCamera(const std::string& path, const PictureFormat& format,
                         std::function<void(const Failure&)> failed)
    : path_(path),
      failed_(std::move(failed)),
      pipeline_(pipeline_text(format)),
      stream_(EncodedStream::of(pipeline_.element("encoded").get(), format.fps)) {
  g_object_set(pipeline_.element("file").get(), "location", path.c_str(), nullptr);
  open();
  pipeline_.watch([this](GstMessage* message) { receive(message); });
}

void VideoCamera::open() {
  gst_element_set_state(pipeline_.get(), GST_STATE_PAUSED);  // What it cannot do it says on the bus.
  wait_for_first_frame();
  if (!seek_to_start(GstSeekFlags(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_SEGMENT))) {
    throw Failure("--video " + path_ + " cannot be shown in a loop, for it cannot be searched");
  }
  wait_for_first_frame();
}

void VideoCamera::wait_for_first_frame() {
  BusPointer bus(gst_element_get_bus(pipeline_.get()));
  MessagePointer message(gst_bus_timed_pop_filtered(
      bus.get(), kOpenTimeout, GstMessageType(GST_MESSAGE_ASYNC_DONE | GST_MESSAGE_ERROR | GST_MESSAGE_EOS)));
  const std::string what = "--video " + path_ + " cannot be read as a video";
  if (message && GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR) throw failure_of(message.get(), what);
  if (!message || GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) throw Failure(what, "It has no frame.");
}

bool VideoCamera::seek_to_start(GstSeekFlags flags) {
  return gst_element_seek(pipeline_.get(), 1.0, GST_FORMAT_TIME, flags, GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, -1);
}

void VideoCamera::receive(GstMessage* message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_SEGMENT_DONE:
      if (!seek_to_start(GST_SEEK_FLAG_SEGMENT)) failed_(Failure("The camera /video could not start over"));
      break;
    case GST_MESSAGE_EOS: failed_(Failure("The camera /video has come to its end")); break;
    case GST_MESSAGE_ERROR: failed_(failure_of(message, "The camera /video has stopped")); break;
    default: break;
  }
}

}  // namespace gkv
