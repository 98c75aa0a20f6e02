/// Simulates IP cameras for the demo and the tests: live H.264 over RTSP.
///
/// Prints `READY port=PORT` once it listens, and then one line for each change of the pattern:
///   {"camera":"patterns","pattern":"ball","time_ns":1795445281000000000}
/// where time_ns (Unix time) is when the first frame of that pattern left the source; with --time-code it is also the
/// time that this frame shows.
#include <glib-unix.h>
#include <gst/gst.h>

#include <cinttypes>
#include <cstdio>
#include <memory>
#include <optional>

#include "common/failure.h"
#include "options.h"
#include "pattern_camera.h"
#include "rtsp_server.h"
#include "video_camera.h"

namespace {

void print_change(const std::string& pattern, std::int64_t unix_ns) {
  std::printf("{\"camera\":\"patterns\",\"pattern\":\"%s\",\"time_ns\":%" PRId64 "}\n", pattern.c_str(), unix_ns);
  std::fflush(stdout);
}

/// Runs until a signal ends it.
/// @throws gkv::Failure  when something cannot start, or stops
void run(const gkv::Options& options) {
  std::unique_ptr<GMainLoop, gkv::Releaser<g_main_loop_unref>> loop(g_main_loop_new(nullptr, FALSE));
  std::optional<gkv::Failure> failure;
  auto failed = [&](const gkv::Failure& why) {
    if (!failure) failure = why;
    g_main_loop_quit(loop.get());
  };
  for (const int signal : {SIGINT, SIGTERM}) {
    auto quit = [](gpointer data) -> gboolean {
      g_main_loop_quit(static_cast<GMainLoop*>(data));
      return G_SOURCE_CONTINUE;
    };
    g_unix_signal_add(signal, quit, loop.get());
  }

  gkv::PatternCamera patterns(options, {print_change, failed});
  std::optional<gkv::VideoCamera> video;
  if (options.video) video.emplace(*options.video, options.format, failed);
  gkv::RtspServer server(options.address, options.port);
  server.mount("/patterns", patterns.stream());
  if (video) server.mount("/video", video->stream());

  std::printf("READY port=%d\n", server.port());
  std::fflush(stdout);
  patterns.start();
  if (video) video->start();
  g_main_loop_run(loop.get());
  if (failure) throw gkv::Failure(*failure);
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(nullptr, nullptr);
  try {
    run(gkv::parse_options(argc, argv));
  } catch (const gkv::Failure& failure) {
    const auto& detail = failure.detail();
    std::fprintf(stderr, "camera-simulator: %s%s%s\n", failure.what(), detail.empty() ? "" : ": ", detail.c_str());
    return 1;
  }
  return 0;
}
