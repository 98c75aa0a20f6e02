#include "pattern_camera.h"

#include <algorithm>
#include <chrono>

#include "time_code.h"

namespace gkv {
namespace {

constexpr auto kPatternChanged = "pattern-changed";  ///< Name of the application message on the bus.

std::int64_t unix_us_now() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

Plane plane(GstVideoFrame& frame, int component) {
  return {static_cast<std::uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(&frame, component)),
          GST_VIDEO_FRAME_COMP_WIDTH(&frame, component), GST_VIDEO_FRAME_COMP_HEIGHT(&frame, component),
          GST_VIDEO_FRAME_COMP_STRIDE(&frame, component)};
}

}  // namespace

PatternCamera::PatternCamera(const Options& options, Events events)
    : patterns_(options.patterns),
      time_code_(options.time_code),
      frames_per_pattern_(options.pattern_seconds * options.format.fps),
      events_(std::move(events)),
      pipeline_("videotestsrc name=source is-live=true kx2=20 ky2=20 kt=1 ! " + encoder_text(options.format, false)),
      source_(pipeline_.element("source")),
      stream_(EncodedStream::of(pipeline_.element("encoded").get(), options.format.fps)) {
  gst_video_info_set_format(&video_info_, GST_VIDEO_FORMAT_I420, options.format.width, options.format.height);
  gst_util_set_object_arg(G_OBJECT(source_.get()), "pattern", patterns_[0].c_str());
  pipeline_.watch([this](GstMessage* message) { receive(message); });

  PadPointer pad(gst_element_get_static_pad(source_.get(), "src"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* info, gpointer data) {
        auto* camera = static_cast<PatternCamera*>(data);
        info->data = camera->frame_leaves_source(GST_PAD_PROBE_INFO_BUFFER(info));
        return GST_PAD_PROBE_OK;
      },
      this, nullptr);
}

GstBuffer* PatternCamera::frame_leaves_source(GstBuffer* frame) {
  const std::int64_t unix_us = unix_us_now();
  const auto is_over = [&] {
    return static_cast<double>(frames_) >= static_cast<double>(patterns_shown_) * frames_per_pattern_;
  };
  if (frames_ == 0 || is_over()) {
    announce(patterns_[patterns_shown_ % patterns_.size()], unix_us * 1000);
    ++patterns_shown_;
  }
  ++frames_;
  // The source draws the next frame when this one is gone, so a pattern set now appears in that one.
  if (is_over()) show_next_pattern();

  if (!time_code_) return frame;
  frame = gst_buffer_make_writable(frame);
  GstVideoFrame video;
  if (gst_video_frame_map(&video, &video_info_, frame, GST_MAP_WRITE)) {
    draw_time_code({plane(video, 0), plane(video, 1), plane(video, 2)}, unix_us);
    gst_video_frame_unmap(&video);
  }
  return frame;
}

void PatternCamera::show_next_pattern() {
  const std::string& pattern = patterns_[patterns_shown_ % patterns_.size()];
  gst_util_set_object_arg(G_OBJECT(source_.get()), "pattern", pattern.c_str());
}

void PatternCamera::announce(const std::string& pattern, std::int64_t unix_ns) {
  auto* change = gst_structure_new(kPatternChanged, "pattern", G_TYPE_STRING, pattern.c_str(), "time", G_TYPE_INT64,
                                   unix_ns, nullptr);
  gst_element_post_message(source_.get(), gst_message_new_application(GST_OBJECT(source_.get()), change));
}

void PatternCamera::receive(GstMessage* message) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    events_.failed(failure_of(message, "The camera /patterns has stopped"));
  } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_APPLICATION) {
    const GstStructure* change = gst_message_get_structure(message);
    gint64 unix_ns = 0;
    gst_structure_get_int64(change, "time", &unix_ns);
    events_.pattern_changed(gst_structure_get_string(change, "pattern"), unix_ns);
  }
}

}  // namespace gkv
