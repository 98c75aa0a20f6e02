#include "common/frame/gstframemeta.h"
#include "gstkafkasrc.h"

static gboolean plugin_init(GstPlugin* plugin) {
  gkv::register_frame_metas();
  return GST_ELEMENT_REGISTER(kafkasrc, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, kafkasrc, "Frames from Apache Kafka", plugin_init, VERSION,
                  "LGPL", PACKAGE_NAME, PACKAGE_ORIGIN)
