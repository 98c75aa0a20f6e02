#include "gstframecaps.h"

#include <gst/base/gsttypefindhelper.h>

namespace gkv {
namespace {

constexpr std::size_t kMostTexts = 64;

CapsPtr parse(const std::string& text) {
  CapsPtr caps(gst_caps_from_string(text.c_str()));
  return caps && gst_caps_is_fixed(caps.get()) ? std::move(caps) : nullptr;
}

CapsPtr reference(GstCaps* caps) { return CapsPtr(gst_caps_ref(caps)); }

}  // namespace

CapsPtr FrameCaps::guess(GstObject* element, const ReceivedFrame& frame) const {
  if (otherwise_) return reference(otherwise_.get());
  const auto payload = frame.payload();
  return CapsPtr(
      gst_type_find_helper_for_data(element, reinterpret_cast<const guint8*>(payload.data()), payload.size(), nullptr));
}

FrameCaps::Found FrameCaps::find(GstObject* element, const ReceivedFrame& frame, const std::string& text) {
  Found found{.changed = last_ != text};
  if (const auto known = known_.find(text); known != known_.end()) {
    found.caps = reference(known->second.get());
  } else {
    if (!text.empty()) found.caps = parse(text);
    if (!text.empty() && !found.caps) found.malformed = text;
    if (!found.caps) found.caps = guess(element, frame);
    if (!found.caps) return {.malformed = found.malformed};
    if (known_.size() >= kMostTexts) known_.clear();
    known_.emplace(text, reference(found.caps.get()));
  }
  if (found.changed) last_ = text;
  return found;
}

}  // namespace gkv
