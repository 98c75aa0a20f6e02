#include "common/frame/gstframemeta.h"
#include "gsttextoverlaylabels.h"

static gboolean plugin_init(GstPlugin* plugin) {
  gkv::register_frame_metas();
  return GST_ELEMENT_REGISTER(textoverlaylabels, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, textoverlaylabels, "Draws the labels that models gave a frame",
                  plugin_init, VERSION, "LGPL", PACKAGE_NAME, PACKAGE_ORIGIN)
