#include "viewer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace gkv {
namespace {

/// Bytes that wait in the kernel unsent: more would be older pictures for a slow viewer. 16 to 128 KiB measure alike.
constexpr int kUnsentBytes = 64 * 1024;

}  // namespace

Viewer::Viewer(SoupServerMessage* message, GSocket* socket, std::string source, const StreamFormat& format,
               GMainContext* context, std::function<void(Viewer&)> on_gone)
    : message_(SOUP_SERVER_MESSAGE(g_object_ref(message))),
      body_(soup_server_message_get_response_body(message)),
      source_(std::move(source)),
      format_(format),
      context_(context),
      on_gone_(std::move(on_gone)) {
  set_headers(message, format);
  soup_message_body_set_accumulate(body_, FALSE);
  g_signal_connect(message, "wrote-chunk", G_CALLBACK(wrote_chunk), this);
  g_signal_connect(message, "finished", G_CALLBACK(gone), this);
  g_signal_connect(message, "disconnected", G_CALLBACK(gone), this);

  if (socket != nullptr) {
    socket_.reset(G_SOCKET(g_object_ref(socket)));
    limit_kernel_buffer();
    watch(GIOCondition(G_IO_IN | G_IO_HUP | G_IO_ERR));
  }
  soup_message_body_append_bytes(body_, format_.opening());
  chunks_left_ = 1;
}

Viewer::~Viewer() { g_signal_handlers_disconnect_by_data(message_.get(), this); }

void Viewer::set_headers(SoupServerMessage* message, const StreamFormat& format) {
  soup_server_message_set_status(message, SOUP_STATUS_OK, nullptr);
  auto* headers = soup_server_message_get_response_headers(message);
  // Chunked encoding would be sent to HTTP/1.0 as well, and would cost three writes for each chunk.
  soup_message_headers_set_encoding(headers, SOUP_ENCODING_EOF);
  soup_message_headers_replace(headers, "Content-Type", format.content_type().c_str());
  soup_message_headers_replace(headers, "X-Accel-Buffering", "no");
}

void Viewer::limit_kernel_buffer() {
  g_socket_set_option(socket_.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentBytes, nullptr);
}

/// libsoup does not look at the socket of a message that has nothing to write.
void Viewer::watch(GIOCondition condition) {
  hang_up_.reset(g_socket_create_source(socket_.get(), condition, nullptr));
  // The function's type is GSocketSourceFunc, whatever the parameter's says.
  g_source_set_callback(hang_up_.get(), reinterpret_cast<GSourceFunc>(reinterpret_cast<void (*)()>(&socket_event)),
                        this, nullptr);
  g_source_attach(hang_up_.get(), context_);
}

gboolean Viewer::socket_event(GSocket*, GIOCondition condition, gpointer self) {
  auto* viewer = static_cast<Viewer*>(self);
  if (viewer->said_goodbye(condition)) {
    viewer->hang_up_.reset();
    viewer->end();
    return G_SOURCE_REMOVE;
  }
  if ((condition & G_IO_IN) != 0) {
    // It sent more than its request; nobody will read that, so it must not wake us again.
    viewer->watch(GIOCondition(G_IO_HUP | G_IO_ERR));
    return G_SOURCE_REMOVE;
  }
  return G_SOURCE_CONTINUE;
}

bool Viewer::said_goodbye(GIOCondition condition) {
  if ((condition & (G_IO_HUP | G_IO_ERR)) != 0) return true;
  char byte;
  const auto count = recv(g_socket_get_fd(socket_.get()), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
}

void Viewer::send(const FramePtr& frame) {
  if (!frame) return;
  append(frame);
  soup_server_message_unpause(message_.get());
}

void Viewer::append(const FramePtr& frame) {
  for (GBytes* chunk : {frame->part_headers.get(), frame->jpeg.get(), format_.closing()}) {
    soup_message_body_append_bytes(body_, chunk);
    ++chunks_left_;
  }
}

void Viewer::wrote_chunk(SoupServerMessage*, gpointer self) {
  auto* viewer = static_cast<Viewer*>(self);
  if (--viewer->chunks_left_ > 0) return;
  if (const auto frame = viewer->delivery_.drained(Delivery::Clock::now())) {
    viewer->append(frame);
  } else if (viewer->delivery_.ended()) {
    soup_message_body_complete(viewer->body_);
  }
}

void Viewer::end() {
  if (delivery_.ended()) return;
  delivery_.end();
  if (delivery_.busy()) return;
  soup_message_body_complete(body_);
  soup_server_message_unpause(message_.get());
}

void Viewer::gone(SoupServerMessage*, gpointer self) {
  auto* viewer = static_cast<Viewer*>(self);
  viewer->on_gone_(*viewer);
}

}  // namespace gkv
