#include "gstframepicture.h"

#include <string>
#include <utility>

#include "common/failure.h"
#include "common/frame/gstframemeta.h"

namespace gkv {
namespace {

std::optional<PixelLayout> layout_of(GstVideoFormat format) {
  switch (format) {
    case GST_VIDEO_FORMAT_GRAY8: return PixelLayout::kGray;
    case GST_VIDEO_FORMAT_I420:
    case GST_VIDEO_FORMAT_NV12: return PixelLayout::kYuv420;
    case GST_VIDEO_FORMAT_RGB: return PixelLayout::kRgb;
    case GST_VIDEO_FORMAT_BGR: return PixelLayout::kBgr;
    case GST_VIDEO_FORMAT_RGBx:
    case GST_VIDEO_FORMAT_RGBA: return PixelLayout::kRgbx;
    case GST_VIDEO_FORMAT_BGRx:
    case GST_VIDEO_FORMAT_BGRA: return PixelLayout::kBgrx;
    case GST_VIDEO_FORMAT_xRGB:
    case GST_VIDEO_FORMAT_ARGB: return PixelLayout::kXrgb;
    case GST_VIDEO_FORMAT_xBGR:
    case GST_VIDEO_FORMAT_ABGR: return PixelLayout::kXbgr;
    default: return std::nullopt;
  }
}

bool is_packed(PixelLayout layout) { return layout != PixelLayout::kGray && layout != PixelLayout::kYuv420; }

/// A raw frame mapped for reading while this lives.
class MappedFrame {
 public:
  MappedFrame(const GstVideoInfo& info, GstBuffer* buffer) {
    if (!gst_video_frame_map(&frame_, &info, buffer, GST_MAP_READ)) {
      throw Failure("A frame could not be read; its memory must be readable by the CPU.", "gst_video_frame_map failed");
    }
  }
  MappedFrame(const MappedFrame&) = delete;
  MappedFrame& operator=(const MappedFrame&) = delete;
  ~MappedFrame() { gst_video_frame_unmap(&frame_); }

  RawPicture picture() const {
    const GstVideoInfo& info = frame_.info;
    RawPicture picture{.layout = *layout_of(GST_VIDEO_INFO_FORMAT(&info)),
                       .width = GST_VIDEO_INFO_WIDTH(&info),
                       .height = GST_VIDEO_INFO_HEIGHT(&info)};
    if (is_packed(picture.layout)) {
      picture.components[0] = {.data = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame_, 0)),
                               .stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, 0)};
      return picture;
    }
    picture.limited_range = info.colorimetry.range == GST_VIDEO_COLOR_RANGE_16_235;
    for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS(&info); ++i) {
      picture.components[i] = {.data = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(&frame_, i)),
                               .stride = GST_VIDEO_FRAME_COMP_STRIDE(&frame_, i),
                               .step = GST_VIDEO_FRAME_COMP_PSTRIDE(&frame_, i)};
    }
    return picture;
  }

 private:
  GstVideoFrame frame_;
};

Jpeg encode(const GstVideoInfo& info, GstBuffer* buffer, int quality) {
  const MappedFrame frame(info, buffer);
  try {
    return encode_jpeg(frame.picture(), quality);
  } catch (const Failure& failure) {
    const std::string size = std::to_string(info.width) + "x" + std::to_string(info.height);
    throw Failure("A frame of " + size + " pixels in " + gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&info)) +
                      " could not be encoded to JPEG; put videoscale or jpegenc in front of tfservingclassify. "
                      "The video goes on.",
                  failure.detail());
  }
}

/// The one field, and not frame_info(): this is done for each frame.
std::uint64_t capture_time(GstBuffer* buffer) {
  guint64 time = 0;
  if (GstCustomMeta* meta = gst_buffer_get_custom_meta(buffer, kFrameMeta)) {
    gst_structure_get_uint64(gst_custom_meta_get_structure(meta), "capture-time", &time);
  }
  return time;
}

}  // namespace

std::optional<FrameFormat> frame_format(const GstCaps* caps, int jpeg_quality) {
  if (gst_structure_has_name(gst_caps_get_structure(caps, 0), "image/jpeg")) return FrameFormat{};
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps) || !layout_of(GST_VIDEO_INFO_FORMAT(&info))) return std::nullopt;
  return FrameFormat{.raw = info, .jpeg_quality = jpeg_quality};
}

FramePicture::FramePicture(GstBuffer* buffer, std::shared_ptr<const FrameFormat> format)
    : buffer_(gst_buffer_ref(buffer)), format_(std::move(format)), captured_ns_(capture_time(buffer)) {}

std::span<const std::byte> FramePicture::jpeg() {
  if (encoded_) return encoded_->bytes();
  if (mapped_) return mapped_->bytes();
  if (!format_->raw) return mapped_.emplace(buffer_.get()).bytes();
  encoded_ = encode(*format_->raw, buffer_.get(), format_->jpeg_quality);
  buffer_.reset();
  return encoded_->bytes();
}

}  // namespace gkv
