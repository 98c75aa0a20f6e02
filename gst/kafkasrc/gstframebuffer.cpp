#include "gstframebuffer.h"

#include <utility>

#include "common/frame/gstframemeta.h"

namespace gkv {
namespace {

GstBuffer* wrap(ReceivedFrame frame) {
  auto* owner = new ReceivedFrame(std::move(frame));
  const auto payload = owner->payload();
  const auto flags = owner->is_detached() ? GstMemoryFlags(0) : GST_MEMORY_FLAG_READONLY;
  return gst_buffer_new_wrapped_full(flags, const_cast<std::byte*>(payload.data()), payload.size(), 0, payload.size(),
                                     owner, [](gpointer held) { delete static_cast<ReceivedFrame*>(held); });
}

}  // namespace

GstBuffer* to_buffer(ReceivedFrame frame, const FrameHeaders& headers) {
  const auto payload = frame.payload();
  GstBuffer* buffer = frame.is_held() || frame.is_detached() ? wrap(std::move(frame))
                                                             : gst_buffer_new_memdup(payload.data(), payload.size());
  set_frame_info(buffer, headers.info);
  if (!headers.classifications.empty()) set_classifications(buffer, headers.classifications);
  if (headers.delta_unit) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  if (headers.discont) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
  return buffer;
}

}  // namespace gkv
