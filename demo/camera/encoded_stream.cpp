#include "encoded_stream.h"

#include <gst/video/video.h>

namespace gkv {

bool Viewer::accepts(bool is_key_frame) {
  if (gst_app_src_get_current_level_buffers(GST_APP_SRC(source_.get())) >= max_waiting_) {
    needs_key_frame_ = true;
  } else if (is_key_frame) {
    needs_key_frame_ = false;
  }
  return !needs_key_frame_ && (was_playing_ || !described_);
}

bool Viewer::deliver(GstSample* sample, GstClockTime clock_time) {
  // Before it plays it has no base time. All pipelines run on the system clock, so that is all they differ in.
  const GstClockTime base_time = gst_element_get_base_time(source_.get());
  if (GST_STATE(source_.get()) != GST_STATE_PLAYING || clock_time < base_time) return false;

  bool starts = false;
  if (!has_caps_) {
    gst_app_src_set_caps(GST_APP_SRC(source_.get()), gst_sample_get_caps(sample));
    has_caps_ = starts = true;
  }
  if (const bool playing = playing_; playing != was_playing_) {
    was_playing_ = playing;
    needs_key_frame_ = starts = true;
  }
  GstBuffer* frame = gst_sample_get_buffer(sample);
  if (!accepts(!GST_BUFFER_FLAG_IS_SET(frame, GST_BUFFER_FLAG_DELTA_UNIT))) return starts;

  described_ = true;
  GstBuffer* stamped = gst_buffer_copy(frame);  // Shares the frame's memory.
  GST_BUFFER_PTS(stamped) = clock_time - base_time;
  GST_BUFFER_DTS(stamped) = GST_CLOCK_TIME_NONE;
  gst_app_src_push_buffer(GST_APP_SRC(source_.get()), stamped);
  return false;
}

std::shared_ptr<EncodedStream> EncodedStream::of(GstElement* sink, std::size_t max_waiting) {
  using StreamPointer = std::shared_ptr<EncodedStream>;
  StreamPointer stream(new EncodedStream(max_waiting));
  GstAppSinkCallbacks callbacks = {};
  callbacks.new_sample = [](GstAppSink* app_sink, gpointer data) {
    if (SamplePointer sample(gst_app_sink_pull_sample(app_sink)); sample) {
      (*static_cast<StreamPointer*>(data))->publish(GST_ELEMENT(app_sink), sample.get());
    }
    return GST_FLOW_OK;
  };
  gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, new StreamPointer(stream),
                             [](gpointer owned) { delete static_cast<StreamPointer*>(owned); });
  return stream;
}

std::shared_ptr<Viewer> EncodedStream::subscribe(ElementPointer source) {
  auto viewer = std::make_shared<Viewer>(std::move(source), max_waiting_);
  viewers_.lock()->push_back(viewer);
  return viewer;
}

void EncodedStream::unsubscribe(const std::shared_ptr<Viewer>& viewer) { std::erase(*viewers_.lock(), viewer); }

void EncodedStream::publish(GstElement* sink, GstSample* sample) {
  const GstClockTime running_time = gst_segment_to_running_time(gst_sample_get_segment(sample), GST_FORMAT_TIME,
                                                                GST_BUFFER_PTS(gst_sample_get_buffer(sample)));
  if (!GST_CLOCK_TIME_IS_VALID(running_time)) return;
  const GstClockTime clock_time = gst_element_get_base_time(sink) + running_time;

  bool key_frame_wanted = false;
  for (const auto& viewer : viewers_.snapshot()) key_frame_wanted |= viewer->deliver(sample, clock_time);
  if (key_frame_wanted) {
    gst_element_send_event(sink, gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  }
}

}  // namespace gkv
