#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_TF_SERVING_CLASSIFY (gst_tf_serving_classify_get_type())
G_DECLARE_FINAL_TYPE(GstTfServingClassify, gst_tf_serving_classify, GST, TF_SERVING_CLASSIFY, GstElement)
GST_ELEMENT_REGISTER_DECLARE(tfservingclassify)

G_END_DECLS
