#pragma once

#include <gst/gst.h>

#include <optional>
#include <vector>

#include "common/frame/frame.h"

namespace gkv {

/// The two GstCustomMetas by which elements hand on what GStreamer has no field for. Applications read them with
/// gst_buffer_get_custom_meta() as GstStructures; the names of their fields are part of the product's interface.
inline constexpr const char* kFrameMeta = "KafkaFrameMeta";
inline constexpr const char* kClassificationMeta = "ClassificationMeta";

/// How many different names of foreign headers a process hands on; headers with further names are left out.
inline constexpr std::size_t kMostHeaderNames = 10'000;

/// Makes both metas known to GStreamer. Each plugin calls it in plugin_init; the first call counts.
void register_frame_metas();

/// @return the frame's KafkaFrameMeta, or nullopt where it has none
std::optional<FrameInfo> frame_info(GstBuffer* buffer);

/// Sets or replaces the frame's KafkaFrameMeta. @param buffer writable
void set_frame_info(GstBuffer* buffer, const FrameInfo& info);

/// @return the frame's source id, or an empty string; cheaper than frame_info()
std::string frame_source(GstBuffer* buffer);

/// @return the frame's classifications, one for each model; empty where it has no ClassificationMeta
std::vector<Classification> classifications(GstBuffer* buffer);

/// Sets or replaces the frame's ClassificationMeta. @param buffer writable
void set_classifications(GstBuffer* buffer, const std::vector<Classification>& results);

/// A classification as the structure that the meta and bus messages hold. The caller owns it.
GstStructure* to_structure(const Classification& result);

}  // namespace gkv
