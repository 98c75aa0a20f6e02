#pragma once

#include <gst/gst.h>

#include "common/frame/headers.h"
#include "received_frame.h"

namespace gkv {

/// A message as a buffer with the metas that its headers tell of. The bytes are copied, unless the frame is held or
/// detached.
/// @return a buffer of the caller's
GstBuffer* to_buffer(ReceivedFrame frame, const FrameHeaders& headers);

}  // namespace gkv
