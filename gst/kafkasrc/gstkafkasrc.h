#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_KAFKA_SRC (gst_kafka_src_get_type())
G_DECLARE_FINAL_TYPE(GstKafkaSrc, gst_kafka_src, GST, KAFKA_SRC, GstPushSrc)
GST_ELEMENT_REGISTER_DECLARE(kafkasrc)

#define GST_TYPE_KAFKA_SRC_MODE (gst_kafka_src_mode_get_type())
GType gst_kafka_src_mode_get_type(void);

#define GST_TYPE_KAFKA_SRC_STOP (gst_kafka_src_stop_get_type())
GType gst_kafka_src_stop_get_type(void);

#define GST_TYPE_KAFKA_SRC_ISOLATION (gst_kafka_src_isolation_get_type())
GType gst_kafka_src_isolation_get_type(void);

#define GST_TYPE_KAFKA_SRC_COMMIT (gst_kafka_src_commit_get_type())
GType gst_kafka_src_commit_get_type(void);

#define GST_TYPE_KAFKA_SRC_TIMESTAMPS (gst_kafka_src_timestamps_get_type())
GType gst_kafka_src_timestamps_get_type(void);

G_END_DECLS
