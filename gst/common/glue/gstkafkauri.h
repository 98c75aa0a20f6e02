#pragma once

#include <gst/gst.h>

namespace gkv {

/// `kafka://BROKERS/TOPIC[?property=value&…]` for elements with the properties `bootstrap-servers` and `topic`: the
/// interface init function to be given to G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER, …). A query sets further
/// properties; anything may be percent-encoded. Login data is refused, as is
/// the property config: they belong into the property config-file. No value is shown in an error.
void kafka_uri_handler_init(gpointer interface, gpointer data);

}  // namespace gkv
