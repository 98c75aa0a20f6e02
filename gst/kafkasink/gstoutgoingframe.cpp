#include "gstoutgoingframe.h"

#include <memory>
#include <string_view>
#include <utility>

#include "common/failure.h"
#include "common/frame/gstframemeta.h"
#include "common/glue/mapped_buffer.h"

namespace gkv {
namespace {

constexpr std::uint64_t kNsPerUs = 1000;
constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::uint64_t kNtpEpochNs = 2'208'988'800ULL * GST_SECOND;  // 1900 to 1970
constexpr std::size_t kHeaders = 16;
constexpr std::size_t kBytesBesideHeader = 10;  // lengths, in the record

struct BufferUnref {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
};
using BufferPtr = std::unique_ptr<GstBuffer, BufferUnref>;

std::string new_run_id() {
  gchar* text = g_uuid_string_random();
  std::string id = text;
  g_free(text);
  return id;
}

std::uint64_t unix_now_ns() { return static_cast<std::uint64_t>(g_get_real_time()) * kNsPerUs; }

/// @return the running time, or GST_CLOCK_TIME_NONE where there is none, as in a stream of bytes
GstClockTime running_time(GstBaseSink* sink, GstClockTime time) {
  if (sink->segment.format != GST_FORMAT_TIME) return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time(&sink->segment, GST_FORMAT_TIME, time);
}

/// Unix time in ns at which the pipeline's clock showed the buffer's running time; now where that is not known.
std::uint64_t time_of_pts(GstBaseSink* sink, GstBuffer* buffer) {
  const std::uint64_t now = unix_now_ns();
  GstClock* clock = gst_element_get_clock(GST_ELEMENT(sink));
  if (!clock) return now;
  const GstClockTime element_now = gst_clock_get_time(clock) - gst_element_get_base_time(GST_ELEMENT(sink));
  gst_object_unref(clock);
  const GstClockTime running = running_time(sink, GST_BUFFER_PTS(buffer));
  // A frame that comes before its time, of a source that is not live, was made just now.
  if (!GST_CLOCK_TIME_IS_VALID(running) || running > element_now) return now;
  return now - (element_now - running);
}

/// @return Unix time in ns that upstream has from the camera's own clock, as rtspsrc with
///         add-reference-timestamp-meta=true
std::optional<std::uint64_t> reference_time(GstBuffer* buffer) {
  static GstStaticCaps ntp = GST_STATIC_CAPS("timestamp/x-ntp");
  static GstStaticCaps unix_caps = GST_STATIC_CAPS("timestamp/x-unix");
  if (!gst_buffer_get_meta(buffer, GST_REFERENCE_TIMESTAMP_META_API_TYPE)) return std::nullopt;
  const auto find = [&](GstStaticCaps& format) -> std::optional<std::uint64_t> {
    GstCaps* caps = gst_static_caps_get(&format);
    const auto* meta = gst_buffer_get_reference_timestamp_meta(buffer, caps);
    gst_caps_unref(caps);
    return meta ? std::optional<std::uint64_t>(meta->timestamp) : std::nullopt;
  };
  if (const auto time = find(unix_caps)) return time;
  const auto time = find(ntp);
  return time && *time >= kNtpEpochNs ? std::optional(*time - kNtpEpochNs) : std::nullopt;
}

/// A message has no place for strides: a picture whose lines lie otherwise than the caps alone tell is packed.
BufferPtr packed(GstBuffer* buffer, const std::optional<GstVideoInfo>& video) {
  const GstVideoMeta* meta = video ? gst_buffer_get_video_meta(buffer) : nullptr;
  bool usual = true;
  for (guint plane = 0; meta && plane < meta->n_planes; ++plane) {
    usual = usual && meta->stride[plane] == GST_VIDEO_INFO_PLANE_STRIDE(&*video, plane) &&
            meta->offset[plane] == GST_VIDEO_INFO_PLANE_OFFSET(&*video, plane);
  }
  if (usual) return BufferPtr(gst_buffer_ref(buffer));
  BufferPtr copy(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&*video), nullptr));
  GstVideoFrame from{};
  GstVideoFrame to{};
  if (!gst_video_frame_map(&from, &*video, buffer, GST_MAP_READ)) {
    throw Failure("A picture could not be read; its memory must be readable by the CPU.", "gst_video_frame_map failed");
  }
  const bool copied = gst_video_frame_map(&to, &*video, copy.get(), GST_MAP_WRITE) && gst_video_frame_copy(&to, &from);
  if (to.buffer) gst_video_frame_unmap(&to);
  gst_video_frame_unmap(&from);
  if (!copied) throw Failure("A picture could not be packed.", "gst_video_frame_copy failed");
  return copy;
}

}  // namespace

FrameEncoder::FrameEncoder(Settings settings) : settings_(std::move(settings)), run_id_(new_run_id()) {}

std::size_t FrameEncoder::set_caps(GstCaps* caps) {
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  const gchar* layout = gst_structure_get_string(structure, "layout");
  if (gst_structure_has_name(structure, "audio/x-raw") && layout && std::string_view(layout) != "interleaved") {
    throw Failure(
        "Audio whose channels lie apart cannot be sent; put audioconvert ! audio/x-raw,layout=interleaved "
        "before kafkasink.",
        "the caps have layout=non-interleaved");
  }
  // Where the bytes lay, as (memory:DMABuf), says nothing of a message.
  const std::unique_ptr<GstCaps, decltype(&gst_caps_unref)> plain(gst_caps_copy(caps), gst_caps_unref);
  gst_caps_set_features_simple(plain.get(), nullptr);
  gchar* text = gst_caps_to_string(plain.get());
  headers_.caps = text;
  g_free(text);
  headers_.content_type = gst_structure_get_name(structure);
  GstVideoInfo info;
  video_.reset();
  if (headers_.content_type == "video/x-raw" && gst_video_info_from_caps(&info, plain.get())) video_ = info;
  return headers_.caps.size();
}

void FrameEncoder::set_headers(GstBaseSink* sink, GstBuffer* buffer) {
  headers_.id = run_id_ + "-" + std::to_string(frames_);
  headers_.info = frame_info(buffer).value_or(FrameInfo{});
  headers_.classifications = classifications(buffer);
  headers_.delta_unit = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  headers_.discont = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT);
  FrameInfo& info = headers_.info;
  if (!info.capture_time_ns) info.capture_time_ns = reference_time(buffer);
  if (!info.capture_time_ns) info.capture_time_ns = time_of_pts(sink, buffer);
  if (info.source.empty()) info.source = settings_.source_id;
  if (info.stream.empty()) {
    info.stream = run_id_;
    info.sequence = frames_;
  }
  const auto known = [](GstClockTime time) {
    return GST_CLOCK_TIME_IS_VALID(time) ? std::optional<std::uint64_t>(time) : std::nullopt;
  };
  headers_.pts_ns = known(running_time(sink, GST_BUFFER_PTS(buffer)));
  headers_.dts_ns = known(running_time(sink, GST_BUFFER_DTS(buffer)));
  headers_.duration_ns = known(GST_BUFFER_DURATION(buffer));
}

std::int64_t FrameEncoder::timestamp_ms(GstBaseSink* sink, GstBuffer* buffer) const {
  std::uint64_t time = *headers_.info.capture_time_ns;
  if (settings_.timestamp == Timestamp::kPts) time = time_of_pts(sink, buffer);
  if (settings_.timestamp == Timestamp::kNow) time = unix_now_ns();
  return static_cast<std::int64_t>(time) / kNsPerMs;
}

OutgoingFrame FrameEncoder::encode(GstBaseSink* sink, GstBuffer* buffer) {
  set_headers(sink, buffer);
  ++frames_;
  auto mapped = std::make_shared<const MappedBuffer>(packed(buffer, video_).get());
  OutgoingFrame frame{.payload = mapped->bytes(),
                      .owner = std::move(mapped),
                      .key = settings_.key ? *settings_.key : headers_.info.source,
                      .headers = kafka::Headers(rd_kafka_headers_new(kHeaders)),
                      .timestamp_ms = timestamp_ms(sink, buffer),
                      .captured_ms = static_cast<std::int64_t>(*headers_.info.capture_time_ns) / kNsPerMs};
  if (frame.key->empty()) frame.key.reset();
  frame.bytes_beside = frame.key ? frame.key->size() : 0;
  encode_headers(headers_, [&](std::string_view name, std::string_view value) {
    rd_kafka_header_add(frame.headers.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
    frame.bytes_beside += name.size() + value.size() + kBytesBesideHeader;
  });
  return frame;
}

}  // namespace gkv
