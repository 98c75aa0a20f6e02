#include "responses.h"

#include "glib_handles.h"
#include "stream_format.h"

extern "C" {
#include "souphttpsink-resources.h"
}

namespace gkv {
namespace {

constexpr gsize kMaxDroppedBytes = 1024 * 1024;

void respond(SoupServerMessage* message, SoupStatus status, const char* type, GBytes* body) {
  soup_server_message_set_status(message, status, nullptr);
  auto* headers = soup_server_message_get_response_headers(message);
  soup_message_headers_replace(headers, "Content-Type", type);
  soup_message_headers_set_content_length(headers, static_cast<goffset>(g_bytes_get_size(body)));
  soup_message_body_append_bytes(soup_server_message_get_response_body(message), body);
}

bool has_body(SoupMessageHeaders* request) {
  return soup_message_headers_get_encoding(request) == SOUP_ENCODING_CHUNKED ||
         soup_message_headers_get_content_length(request) > 0;
}

void drop_chunk(SoupServerMessage* message, GBytes* chunk, gpointer socket) {
  const char* key = "dropped-bytes";
  const auto dropped = GPOINTER_TO_SIZE(g_object_get_data(G_OBJECT(message), key)) + g_bytes_get_size(chunk);
  g_object_set_data(G_OBJECT(message), key, GSIZE_TO_POINTER(dropped));
  if (dropped > kMaxDroppedBytes) g_socket_shutdown(G_SOCKET(socket), TRUE, TRUE, nullptr);
}

GResource* page_files() {
  static GResource* const files = (souphttpsink_register_resource(), souphttpsink_get_resource());
  return files;
}

struct PageFile {
  const char* path;
  const char* type;
};

PageFile page_file(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::kPageScript: return {"/gst-kafka-vision/souphttpsink/page.js", "text/javascript; charset=utf-8"};
    case Endpoint::kPageStyle: return {"/gst-kafka-vision/souphttpsink/page.css", "text/css; charset=utf-8"};
    default: return {"/gst-kafka-vision/souphttpsink/index.html", "text/html; charset=utf-8"};
  }
}

}  // namespace

void set_common_headers(SoupServerMessage* message) {
  auto* headers = soup_server_message_get_response_headers(message);
  soup_message_headers_replace(headers, "Cache-Control", "no-store");
  soup_message_headers_replace(headers, "Connection", "close");
}

void refuse_unserved(SoupServerMessage* message, const std::optional<Route>& route, GSocket* socket) {
  soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
  const bool body = has_body(soup_server_message_get_request_headers(message));
  if (body && socket != nullptr) {
    g_signal_connect_object(message, "got-chunk", G_CALLBACK(drop_chunk), socket, GConnectFlags(0));
  }

  const char* method = soup_server_message_get_method(message);
  if (!route) {
    respond_text(message, SOUP_STATUS_NOT_FOUND, "There is nothing here; the page is at /.");
  } else if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD) {
    soup_message_headers_replace(soup_server_message_get_response_headers(message), "Allow", "GET, HEAD");
    respond_text(message, SOUP_STATUS_METHOD_NOT_ALLOWED, "Only GET and HEAD are served.");
  } else if (body) {
    respond_text(message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "A request has no body here.");
  }
}

void respond_page(SoupServerMessage* message, Endpoint file) {
  const auto [path, type] = page_file(file);
  BytesPtr content(g_resource_lookup_data(page_files(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr));
  respond(message, SOUP_STATUS_OK, type, content.get());
}

void respond_json(SoupServerMessage* message, const std::string& json) {
  respond(message, SOUP_STATUS_OK, "application/json", make_bytes(json).get());
}

void respond_snapshot(SoupServerMessage* message, const Frame& frame) {
  if (frame.capture_time_ns) {
    soup_message_headers_replace(soup_server_message_get_response_headers(message), "X-Timestamp",
                                 timestamp(*frame.capture_time_ns).c_str());
  }
  respond(message, SOUP_STATUS_OK, "image/jpeg", frame.jpeg.get());
}

void respond_text(SoupServerMessage* message, SoupStatus status, const std::string& text) {
  respond(message, status, "text/plain; charset=utf-8", make_bytes(text + "\n").get());
}

}  // namespace gkv
