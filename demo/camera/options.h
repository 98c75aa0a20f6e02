#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gkv {

/// Size in pixels and rate in frames a second of a camera's picture.
struct PictureFormat {
  int width = 640;
  int height = 480;
  int fps = 25;
};

/// What the command line says.
struct Options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any free one.
  PictureFormat format;
  double pattern_seconds = 4;         ///< How long each pattern is shown.
  std::vector<std::string> patterns;  ///< Names of videotestsrc's patterns, shown in turn.
  bool time_code = false;             ///< Draw the wall clock into the patterns: time_code.h.
  std::optional<std::string> video;   ///< Path of the file that /video shows.
};

/// Reads the command line; prints the help text and exits when it asks for it.
/// @throws Failure  naming the option that cannot be used
Options parse_options(int argc, char** argv);

}  // namespace gkv
