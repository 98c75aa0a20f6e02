#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_TYPE_KAFKA_SINK (gst_kafka_sink_get_type())
G_DECLARE_FINAL_TYPE(GstKafkaSink, gst_kafka_sink, GST, KAFKA_SINK, GstBaseSink)
GST_ELEMENT_REGISTER_DECLARE(kafkasink)

#define GST_TYPE_KAFKA_SINK_DELIVERY (gst_kafka_sink_delivery_get_type())
GType gst_kafka_sink_delivery_get_type(void);
#define GST_TYPE_KAFKA_SINK_COMPRESSION (gst_kafka_sink_compression_get_type())
GType gst_kafka_sink_compression_get_type(void);
#define GST_TYPE_KAFKA_SINK_TIMESTAMP (gst_kafka_sink_timestamp_get_type())
GType gst_kafka_sink_timestamp_get_type(void);

G_END_DECLS
