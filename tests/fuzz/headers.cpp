// Headers that nobody vouches for, as kafkasrc reads them. Input: names and values by turns, with a zero byte after
// each.
#include <gst/gst.h>

#include <cstdlib>
#include <string_view>
#include <vector>

#include "common/frame/headers.h"

namespace {

std::vector<gkv::HeaderView> split(std::string_view input) {
  std::vector<std::string_view> parts;
  while (!input.empty()) {
    const auto end = input.find('\0');
    parts.push_back(input.substr(0, end));
    input = end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  }
  std::vector<gkv::HeaderView> headers;
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2) headers.push_back({parts[i], parts[i + 1]});
  return headers;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  gst_init(nullptr, nullptr);
  g_log_set_always_fatal(GLogLevelFlags(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK));
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto views = split({reinterpret_cast<const char*>(data), size});
  const gkv::DecodedHeaders decoded = gkv::decode_headers(views);
  if (GstCaps* caps = gst_caps_from_string(decoded.headers.caps.c_str())) gst_caps_unref(caps);
  // What was read can be written, and is read as the same again.
  const auto written = gkv::encode_headers(decoded.headers);
  std::vector<gkv::HeaderView> again;
  again.reserve(written.size());
  for (const gkv::Header& header : written) again.push_back({header.name, header.value});
  const gkv::DecodedHeaders repeated = gkv::decode_headers(again);
  if (!(repeated.headers.info == decoded.headers.info) || repeated.headers.caps != decoded.headers.caps ||
      !repeated.problems.empty()) {
    std::abort();
  }
  return 0;
}
