#include "options.h"

#include <glib.h>

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string_view>

#include "common/failure.h"
#include "owned.h"
#include "pattern_camera.h"
#include "time_code.h"

namespace gkv {
namespace {

constexpr auto kDefaultPatterns = "ball,pinwheel,smpte,checkers-8,spokes,snow,circular,bar";

/// What GOption writes into; it allocates the strings.
struct RawOptions {
  StringPointer address, size, patterns, video;
  gint port = 0;
  gint fps = PictureFormat{}.fps;
  gdouble pattern_seconds = Options{}.pattern_seconds;
  gboolean time_code = FALSE;
};

RawOptions read_command_line(int argc, char** argv) {
  RawOptions raw;
  gchar *address = nullptr, *size = nullptr, *patterns = nullptr, *video = nullptr;
  const GOptionEntry entries[] = {
      {"address", 0, 0, G_OPTION_ARG_STRING, &address, "Address to listen on (127.0.0.1)", "ADDRESS"},
      {"port", 0, 0, G_OPTION_ARG_INT, &raw.port, "TCP port to listen on (0: any free one)", "PORT"},
      {"size", 0, 0, G_OPTION_ARG_STRING, &size, "Picture size in pixels (640x480)", "WIDTHxHEIGHT"},
      {"fps", 0, 0, G_OPTION_ARG_INT, &raw.fps, "Frames a second (25)", "N"},
      {"patterns", 0, 0, G_OPTION_ARG_STRING, &patterns, "Patterns of videotestsrc that /patterns shows in turn",
       "NAME,..."},
      {"pattern-seconds", 0, 0, G_OPTION_ARG_DOUBLE, &raw.pattern_seconds, "How long each pattern is shown (4)",
       "SECONDS"},
      {"time-code", 0, 0, G_OPTION_ARG_NONE, &raw.time_code, "Draw the wall clock into /patterns as black/white blocks",
       nullptr},
      {"video", 0, 0, G_OPTION_ARG_FILENAME, &video, "Video file that /video shows in an endless loop", "FILE"},
      {nullptr, 0, 0, G_OPTION_ARG_NONE, nullptr, nullptr, nullptr},
  };
  std::unique_ptr<GOptionContext, Releaser<g_option_context_free>> context(
      g_option_context_new("- live H.264 cameras at rtsp://ADDRESS:PORT/patterns and /video"));
  g_option_context_add_main_entries(context.get(), entries, nullptr);
  GError* error = nullptr;
  const bool parsed = g_option_context_parse(context.get(), &argc, &argv, &error);
  ErrorPointer owned_error(error);
  raw.address.reset(address);
  raw.size.reset(size);
  raw.patterns.reset(patterns);
  raw.video.reset(video);
  if (!parsed) throw Failure(std::string(error->message) + " (see --help)");
  if (argc > 1) throw Failure("The argument " + std::string(argv[1]) + " belongs to no option (see --help)");
  return raw;
}

/// @return  the even number that text is, if it is one that an encoder takes
std::optional<int> parse_side(std::string_view text) {
  int side = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), side);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (side < 64 || side > 4096 || side % 2 != 0) return std::nullopt;
  return side;
}

void parse_size(std::string_view text, PictureFormat& format) {
  const auto cross = text.find('x');
  const auto width = cross == text.npos ? std::nullopt : parse_side(text.substr(0, cross));
  const auto height = cross == text.npos ? std::nullopt : parse_side(text.substr(cross + 1));
  if (!width || !height) {
    throw Failure("--size " + std::string(text) + " is not WIDTHxHEIGHT with even numbers from 64 to 4096");
  }
  format.width = *width;
  format.height = *height;
}

[[noreturn]] void refuse_pattern(const std::string& name) {
  std::string known;
  for (const auto pattern : kPatterns) known.append(" ").append(pattern);
  throw Failure("--patterns knows no " + name + ", only" + known);
}

std::vector<std::string> parse_patterns(const std::string& text) {
  std::vector<std::string> patterns;
  std::istringstream names(text);
  for (std::string name; std::getline(names, name, ',');) {
    if (std::ranges::find(kPatterns, name) == kPatterns.end()) {
      refuse_pattern(name);
    }
    patterns.push_back(name);
  }
  if (patterns.empty()) throw Failure("--patterns needs at least one name");
  return patterns;
}

}  // namespace

Options parse_options(int argc, char** argv) {
  const RawOptions raw = read_command_line(argc, argv);
  Options options;
  if (raw.address) options.address = raw.address.get();
  if (raw.port < 0 || raw.port > 65535) throw Failure("--port must be a number from 0 to 65535");
  options.port = static_cast<std::uint16_t>(raw.port);
  if (raw.size) parse_size(raw.size.get(), options.format);
  if (raw.fps < 1 || raw.fps > 120) throw Failure("--fps must be a number from 1 to 120");
  options.format.fps = raw.fps;
  if (!(raw.pattern_seconds >= 1.0 / raw.fps && raw.pattern_seconds <= 86400)) {
    throw Failure("--pattern-seconds must be a number from one frame to a day");
  }
  options.pattern_seconds = raw.pattern_seconds;
  options.patterns = parse_patterns(raw.patterns ? raw.patterns.get() : kDefaultPatterns);
  options.time_code = raw.time_code;
  if (options.time_code && options.format.width < kTimeCodeMinWidth) {
    throw Failure("--time-code needs a --size at least " + std::to_string(kTimeCodeMinWidth) + " pixels wide");
  }
  if (raw.video) options.video = raw.video.get();
  return options;
}

}  // namespace gkv
