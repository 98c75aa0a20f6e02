#include "connections.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "alarm.h"

namespace gkv {
namespace {

constexpr std::size_t kMaxConnections = 512;

/// How long no connection is taken after one could not be: what the process ran out of will take a while to come back.
constexpr std::chrono::milliseconds kPause{100};

/// How long a client may leave sent bytes unacknowledged, or its window shut, before the kernel drops it.
constexpr int kUserTimeoutMs = 10'000;

constexpr std::string_view kRefusal =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 22\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\nToo many connections.\n";

/// Half of the process's descriptors at most: the rest of the pipeline lives on the others.
std::size_t connection_limit() {
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return kMaxConnections;
  return static_cast<std::size_t>(std::min<rlim_t>(kMaxConnections, descriptors.rlim_cur / 2));
}

void refuse(GSocket* socket) {
  // A new connection has room for this; who does not get it sees the connection closed.
  send(g_socket_get_fd(socket), kRefusal.data(), kRefusal.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

Connections::Connections(GObjectPtr<GSocket> listener, SoupServer* server, GMainContext* context,
                         std::chrono::milliseconds request_timeout)
    : listener_(std::move(listener)),
      server_(server),
      context_(context),
      request_timeout_(request_timeout),
      limit_(connection_limit()),
      pause_over_(make_alarm(context, time_to_listen, this)),
      give_up_(make_alarm(context, time_to_give_up, this)) {
  // A connection that is gone again before it is taken must not make us wait for the next.
  g_socket_set_blocking(listener_.get(), FALSE);
  g_signal_connect(server_, "request-read", G_CALLBACK(request_read), this);
  listen();
}

Connections::~Connections() {
  g_signal_handlers_disconnect_by_data(server_, this);
  for (const auto& connection : connections_) g_object_weak_unref(G_OBJECT(connection.stream), gone, this);
}

GSocket* Connections::socket(SoupServerMessage* message) const {
  const auto* peer = soup_server_message_get_remote_address(message);
  const auto found =
      std::find_if(connections_.begin(), connections_.end(), [&](const auto& c) { return c.peer == peer; });
  return found == connections_.end() ? nullptr : g_socket_connection_get_socket(found->stream);
}

void Connections::listen() {
  incoming_.reset(g_socket_create_source(listener_.get(), G_IO_IN, nullptr));
  // The function's type is GSocketSourceFunc, whatever the parameter's says.
  g_source_set_callback(incoming_.get(), reinterpret_cast<GSourceFunc>(reinterpret_cast<void (*)()>(&incoming)), this,
                        nullptr);
  g_source_attach(incoming_.get(), context_);
}

gboolean Connections::incoming(GSocket*, GIOCondition, gpointer self) {
  static_cast<Connections*>(self)->accept();
  return G_SOURCE_CONTINUE;
}

void Connections::accept() {
  GError* error = nullptr;
  const GObjectPtr<GSocket> socket(g_socket_accept(listener_.get(), nullptr, &error));
  if (!socket) {
    const GErrorPtr owned(error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) return;
    // Out of descriptors, most likely: the connection stays in the queue, and would wake us again at once.
    incoming_.reset();
    g_source_set_ready_time(pause_over_.get(), to_monotonic_us(Clock::now() + kPause));
  } else if (connections_.size() >= limit_) {
    refuse(socket.get());
  } else {
    hand_over(socket.get());
  }
}

gboolean Connections::time_to_listen(gpointer self) {
  static_cast<Connections*>(self)->listen();
  return G_SOURCE_CONTINUE;
}

void Connections::hand_over(GSocket* socket) {
  const GObjectPtr<GSocketAddress> local(g_socket_get_local_address(socket, nullptr));
  const GObjectPtr<GSocketAddress> peer(g_socket_get_remote_address(socket, nullptr));
  if (!local || !peer) return;  // It is gone already.
  g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, TRUE, nullptr);
  g_socket_set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs, nullptr);

  const GObjectPtr<GSocketConnection> stream(g_socket_connection_factory_create_connection(socket));
  const auto deadline = Clock::now() + request_timeout_;
  connections_.push_back({stream.get(), peer.get(), deadline});
  g_object_weak_ref(G_OBJECT(stream.get()), gone, this);
  if (g_source_get_ready_time(give_up_.get()) < 0) g_source_set_ready_time(give_up_.get(), to_monotonic_us(deadline));
  soup_server_accept_iostream(server_, G_IO_STREAM(stream.get()), local.get(), peer.get(), nullptr);
}

void Connections::gone(gpointer self, GObject* stream) {
  std::erase_if(static_cast<Connections*>(self)->connections_,
                [&](const auto& connection) { return static_cast<void*>(connection.stream) == stream; });
}

void Connections::request_read(SoupServer*, SoupServerMessage* message, gpointer self) {
  const auto* peer = soup_server_message_get_remote_address(message);
  for (auto& connection : static_cast<Connections*>(self)->connections_) {
    if (connection.peer == peer) connection.deadline.reset();
  }
}

gboolean Connections::time_to_give_up(gpointer self) {
  auto* connections = static_cast<Connections*>(self);
  const auto next = connections->give_up_overdue();
  if (next != Clock::time_point::max()) g_source_set_ready_time(connections->give_up_.get(), to_monotonic_us(next));
  return G_SOURCE_CONTINUE;
}

/// @return the next deadline; max() when there is none
Connections::Clock::time_point Connections::give_up_overdue() {
  auto next = Clock::time_point::max();
  for (auto& connection : connections_) {
    if (!connection.deadline) continue;
    if (*connection.deadline > Clock::now()) {
      next = std::min(next, *connection.deadline);
    } else {
      // libsoup reads the end of the connection, and closes it.
      g_socket_shutdown(g_socket_connection_get_socket(connection.stream), TRUE, TRUE, nullptr);
      connection.deadline.reset();
    }
  }
  return next;
}

}  // namespace gkv
