#include "common/frame/gstframemeta.h"
#include "gsttfservingclassify.h"

static gboolean plugin_init(GstPlugin* plugin) {
  gkv::register_frame_metas();
  return GST_ELEMENT_REGISTER(tfservingclassify, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, tfservingclassify, "TensorFlow Serving client", plugin_init,
                  VERSION, "LGPL", PACKAGE_NAME, PACKAGE_ORIGIN)
