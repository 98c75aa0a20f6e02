#pragma once

#include <gst/gst.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "received_frame.h"

namespace gkv {

struct CapsUnref {
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
};
using CapsPtr = std::unique_ptr<GstCaps, CapsUnref>;

/// What frames are: the caps of their headers, else those that the user has set, else those that a look at the bytes
/// finds. Each text is parsed once while few are in use: cameras with different caps may take turns.
class FrameCaps {
 public:
  /// @param otherwise  caps of frames whose headers have none; may be null
  explicit FrameCaps(std::shared_ptr<GstCaps> otherwise) : otherwise_(std::move(otherwise)) {}

  struct Found {
    CapsPtr caps;           ///< null: nothing tells what the frame is
    bool changed = false;   ///< are others than those of the frame before
    std::string malformed;  ///< a header's text that is no caps, and was passed over
  };
  Found find(GstObject* element, const ReceivedFrame& frame, const std::string& text);
  /// @return the text of the frame before; empty: none
  std::string_view last_text() const { return last_ ? std::string_view(*last_) : std::string_view(); }

 private:
  CapsPtr guess(GstObject* element, const ReceivedFrame& frame) const;

  std::shared_ptr<GstCaps> otherwise_;
  std::map<std::string, CapsPtr> known_;
  std::optional<std::string> last_;  ///< text of the frame before
};

}  // namespace gkv
