#include "predict_request.h"

#include <glib.h>

#include <string_view>

namespace gkv {
namespace {

constexpr std::string_view kHead = R"({"instances":[{"image_bytes":{"b64":")";
constexpr std::string_view kTail = R"("}}]})";

/// Room that g_base64_encode_step() and _close() ask for.
constexpr std::size_t base64_room(std::size_t bytes) { return (bytes / 3 + 1) * 4 + 4; }

}  // namespace

std::string predict_request(std::span<const std::byte> picture) {
  std::string body;
  body.reserve(kHead.size() + base64_room(picture.size()) + kTail.size());
  body = kHead;
  body.resize(kHead.size() + base64_room(picture.size()));
  gint state = 0;
  gint save = 0;
  gchar* out = body.data() + kHead.size();
  out +=
      g_base64_encode_step(reinterpret_cast<const guchar*>(picture.data()), picture.size(), FALSE, out, &state, &save);
  out += g_base64_encode_close(FALSE, out, &state, &save);
  body.resize(static_cast<std::size_t>(out - body.data()));
  body += kTail;
  return body;
}

}  // namespace gkv
