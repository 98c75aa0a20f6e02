#pragma once

#include <string_view>

namespace gkv {

/// Looks through the text of fixed caps that nobody vouches for. GStreamer takes such text for the programmer's: it
/// descends into brackets without a bound, and tells of wrong names and bytes by criticals.
/// @return why the text must not be given to gst_caps_from_string(), as the end of a sentence; empty: it may be
std::string_view problem_of_caps_text(std::string_view text);

}  // namespace gkv
