#include "common/frame/gstframemeta.h"
#include "gstsouphttpsink.h"

static gboolean plugin_init(GstPlugin* plugin) {
  gkv::register_frame_metas();
  return GST_ELEMENT_REGISTER(souphttpsink, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, souphttpsink, "Shows pictures to browsers over HTTP",
                  plugin_init, VERSION, "LGPL", PACKAGE_NAME, PACKAGE_ORIGIN)
