#include "alarm.h"

namespace gkv {
namespace {

gboolean dispatch_once(GSource* source, GSourceFunc callback, gpointer data) {
  g_source_set_ready_time(source, -1);
  return callback(data);
}

}  // namespace

SourcePtr make_alarm(GMainContext* context, GSourceFunc callback, gpointer data) {
  static GSourceFuncs functions = {nullptr, nullptr, dispatch_once, nullptr, nullptr, nullptr};
  SourcePtr source(g_source_new(&functions, sizeof(GSource)));
  g_source_set_callback(source.get(), callback, data, nullptr);
  g_source_attach(source.get(), context);
  return source;
}

gint64 to_monotonic_us(std::chrono::steady_clock::time_point when) {
  using std::chrono::steady_clock;
  const auto from_now = std::chrono::duration_cast<std::chrono::microseconds>(when - steady_clock::now());
  return g_get_monotonic_time() + from_now.count();
}

}  // namespace gkv
