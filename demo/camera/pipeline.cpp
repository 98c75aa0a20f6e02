#include "pipeline.h"

namespace gkv {

Pipeline::Pipeline(const std::string& text) {
  GError* error = nullptr;
  pipeline_.reset(gst_parse_launch_full(text.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error));
  ErrorPointer owned_error(error);
  if (!pipeline_) throw Failure("A part of GStreamer that the cameras need is not installed", error->message);
}

Pipeline::~Pipeline() {
  if (on_message_) gst_bus_remove_watch(bus().get());
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

BusPointer Pipeline::bus() const { return BusPointer(gst_element_get_bus(pipeline_.get())); }

ElementPointer Pipeline::element(const char* name) const {
  return ElementPointer(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
}

void Pipeline::watch(std::function<void(GstMessage*)> on_message) {
  on_message_ = std::move(on_message);
  gst_bus_add_watch(
      bus().get(),
      [](GstBus*, GstMessage* message, gpointer data) -> gboolean {
        static_cast<Pipeline*>(data)->on_message_(message);
        return G_SOURCE_CONTINUE;
      },
      this);
}

void Pipeline::set_state(GstState state) {
  if (gst_element_set_state(pipeline_.get(), state) != GST_STATE_CHANGE_FAILURE) return;
  MessagePointer error(gst_bus_pop_filtered(bus().get(), GST_MESSAGE_ERROR));
  throw error ? failure_of(error.get(), "The camera's pipeline does not start")
              : Failure("The camera's pipeline does not start");
}

Failure failure_of(GstMessage* message, const std::string& what) {
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  ErrorPointer owned_error(error);
  return Failure(what, error->message);
}

std::string encoder_text(const PictureFormat& format, bool synchronised) {
  constexpr double kBitsPerPixel = 0.25;
  const auto kbit_per_second = static_cast<int>(kBitsPerPixel * format.width * format.height * format.fps / 1000);
  return "video/x-raw,format=I420,pixel-aspect-ratio=1/1,width=" + std::to_string(format.width) +
         ",height=" + std::to_string(format.height) + ",framerate=" + std::to_string(format.fps) +
         "/1 ! x264enc tune=zerolatency speed-preset=ultrafast threads=1 sliced-threads=false key-int-max=" +
         std::to_string(format.fps) + " bitrate=" + std::to_string(kbit_per_second) +
         " ! video/x-h264,profile=constrained-baseline,stream-format=byte-stream,alignment=au"
         " ! appsink name=encoded sync=" +
         (synchronised ? "true" : "false");
}

}  // namespace gkv
