#pragma once

#include <chrono>

#include "glib_handles.h"

namespace gkv {

/// A source that sleeps until somebody, on any thread, sets its ready time.
/// @param callback  called in the context each time, with the alarm asleep again
SourcePtr make_alarm(GMainContext* context, GSourceFunc callback, gpointer data);

/// The time as g_source_set_ready_time() takes it.
gint64 to_monotonic_us(std::chrono::steady_clock::time_point when);

}  // namespace gkv
