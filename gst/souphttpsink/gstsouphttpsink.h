#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_TYPE_SOUP_HTTP_SINK (gst_soup_http_sink_get_type())
G_DECLARE_FINAL_TYPE(GstSoupHttpSink, gst_soup_http_sink, GST, SOUP_HTTP_SINK, GstBaseSink)
GST_ELEMENT_REGISTER_DECLARE(souphttpsink)

G_END_DECLS
