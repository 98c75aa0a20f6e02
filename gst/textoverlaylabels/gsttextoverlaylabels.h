#pragma once

#include <gst/video/gstvideofilter.h>

G_BEGIN_DECLS

#define GST_TYPE_TEXT_OVERLAY_LABELS (gst_text_overlay_labels_get_type())
G_DECLARE_FINAL_TYPE(GstTextOverlayLabels, gst_text_overlay_labels, GST, TEXT_OVERLAY_LABELS, GstVideoFilter)
GST_ELEMENT_REGISTER_DECLARE(textoverlaylabels)

G_END_DECLS
