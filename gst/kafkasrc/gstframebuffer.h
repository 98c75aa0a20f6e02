#pragma once

#include <gst/gst.h>

#include "common/frame/headers.h"
#include "received_frame.h"

namespace gkv {

/// A message as a buffer with the metas that its headers tell of.
/// @param hold  whether the buffer may refer to the message's memory, which pins the fetch response; else it is a copy
/// @return a buffer of the caller's
GstBuffer* to_buffer(ReceivedFrame frame, const FrameHeaders& headers, bool hold);

}  // namespace gkv
