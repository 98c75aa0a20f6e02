#include "gstframetime.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace gkv {
namespace {

constexpr std::size_t kMostSources = 10'000;
constexpr GstClockTime kLargestJump = 10 * GST_SECOND;  ///< of a stream that goes on; above it, it begins anew
constexpr guint64 kNsPerUs = 1000;

/// @return the running time, or GST_CLOCK_TIME_NONE without a clock
GstClockTime running_now(GstBaseSrc* src) {
  GstClock* clock = gst_element_get_clock(GST_ELEMENT(src));
  if (!clock) return GST_CLOCK_TIME_NONE;
  const GstClockTime now = gst_clock_get_time(clock);
  const GstClockTime base = gst_element_get_base_time(GST_ELEMENT(src));
  gst_object_unref(clock);
  return now > base ? now - base : 0;
}

void add_reference_time(GstBuffer* buffer, guint64 capture_time_ns) {
  static GstStaticCaps unix_caps = GST_STATIC_CAPS("timestamp/x-unix");
  GstCaps* caps = gst_static_caps_get(&unix_caps);
  gst_buffer_add_reference_timestamp_meta(buffer, caps, capture_time_ns, GST_CLOCK_TIME_NONE);
  gst_caps_unref(caps);
}

/// @param end  of the frame before, in the segment that ends; GST_CLOCK_TIME_NONE: there is none
void begin_segment(GstBaseSrc* src, GstClockTime start, GstClockTime end) {
  GST_OBJECT_LOCK(src);
  GstSegment segment = src->segment;  // with the stop and the base of a seek
  GST_OBJECT_UNLOCK(src);
  if (GST_CLOCK_TIME_IS_VALID(segment.stop) && start >= segment.stop) return;  // GstBaseSrc ends the stream
  if (GST_CLOCK_TIME_IS_VALID(end)) segment.base = gst_segment_to_running_time(&segment, GST_FORMAT_TIME, end);
  segment.start = segment.time = segment.position = start;
  gst_base_src_new_segment(src, &segment);
}

}  // namespace

GstClockTime FrameTime::original_pts(const FrameHeaders& headers, GstClockTime now) {
  if (!headers.pts_ns) return now;
  if (origins_.size() >= kMostSources && !origins_.contains(headers.info.source)) origins_.clear();
  const auto [known, is_first] = origins_.try_emplace(headers.info.source);
  Origin& origin = known->second;
  const GstClockTimeDiff elapsed = GST_CLOCK_DIFF(origin.pts, *headers.pts_ns);
  const GstClockTimeDiff expected = static_cast<GstClockTimeDiff>(origin.running) + elapsed;
  const GstClockTimeDiff off = expected - static_cast<GstClockTimeDiff>(now);
  const bool jumped = std::abs(off) > static_cast<GstClockTimeDiff>(kLargestJump);
  if (is_first || origin.stream != headers.info.stream || expected < 0 || jumped) {
    origin = {.stream = headers.info.stream, .pts = *headers.pts_ns, .running = now};
    return now;
  }
  return static_cast<GstClockTime>(expected);
}

GstClockTime FrameTime::live_pts(const FrameHeaders& headers, GstClockTime now) {
  if (timestamps_ == Timestamps::kOriginal) return original_pts(headers, now);
  if (!headers.info.capture_time_ns) return now;
  const auto unix_now = static_cast<guint64>(g_get_real_time()) * kNsPerUs;
  const guint64 age = unix_now > *headers.info.capture_time_ns ? unix_now - *headers.info.capture_time_ns : 0;
  return now > age ? now - age : 0;
}

void FrameTime::stamp(GstBaseSrc* src, GstBuffer* buffer, const FrameHeaders& headers) {
  if (headers.duration_ns) GST_BUFFER_DURATION(buffer) = *headers.duration_ns;
  if (headers.info.capture_time_ns) add_reference_time(buffer, *headers.info.capture_time_ns);
  if (timestamps_ == Timestamps::kArrival) return;
  if (live_) {
    const GstClockTime now = running_now(src);
    if (GST_CLOCK_TIME_IS_VALID(now)) GST_BUFFER_PTS(buffer) = live_pts(headers, now);
    return;
  }
  stamp_recorded(src, buffer, headers);
}

/// The time stamps of a camera begin anew when it is started anew, and go on in a segment of their own.
void FrameTime::stamp_recorded(GstBaseSrc* src, GstBuffer* buffer, const FrameHeaders& headers) {
  const auto& time = timestamps_ == Timestamps::kCapture ? headers.info.capture_time_ns : headers.pts_ns;
  if (!time) return;
  const FrameInfo& info = headers.info;
  const bool original = timestamps_ == Timestamps::kOriginal;
  const bool restarted = original && recorded_ && recorded_->source == info.source && recorded_->stream != info.stream;
  if (!recorded_) begin_segment(src, *time, GST_CLOCK_TIME_NONE);
  if (restarted) begin_segment(src, *time, recorded_->end);
  GST_BUFFER_PTS(buffer) = *time;
  if (original && headers.dts_ns) GST_BUFFER_DTS(buffer) = *headers.dts_ns;
  recorded_ = {.source = info.source, .stream = info.stream, .end = *time + headers.duration_ns.value_or(0)};
}

}  // namespace gkv
