#include "listening_socket.h"

#include "common/failure.h"

namespace gkv {
namespace {

constexpr int kBacklog = 1024;

struct Error {
  GError* raw = nullptr;
  ~Error() { g_clear_error(&raw); }
};

Failure bind_failure(const std::string& address, int port, const GError& error) {
  const auto number = std::to_string(port);
  if (error.code == G_IO_ERROR_ADDRESS_IN_USE) {
    return Failure("Port " + number + " of " + address + " is taken by another program; set the property port to a " +
                       "free one, or to 0 for any",
                   error.message);
  }
  if (error.code == G_IO_ERROR_PERMISSION_DENIED) {
    return Failure("Port " + number + " may not be opened by this user; set the property port to 1024 or more",
                   error.message);
  }
  return Failure("Cannot listen on " + address + ", port " + number + "; set the property address to an address of " +
                     "this machine",
                 error.message);
}

}  // namespace

GObjectPtr<GSocket> open_listening_socket(const std::string& address, int port) {
  GObjectPtr<GInetAddress> ip(g_inet_address_new_from_string(address.c_str()));
  if (!ip) {
    throw Failure("'" + address +
                      "' is no IP address; set the property address to one, such as 127.0.0.1, or 0.0.0.0 " +
                      "for all of this machine's",
                  "g_inet_address_new_from_string failed");
  }
  Error error;
  GObjectPtr<GSocket> socket(
      g_socket_new(g_inet_address_get_family(ip.get()), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error.raw));
  if (!socket) throw bind_failure(address, port, *error.raw);

  GObjectPtr<GSocketAddress> endpoint(g_inet_socket_address_new(ip.get(), static_cast<guint16>(port)));
  g_socket_set_listen_backlog(socket.get(), kBacklog);
  // SO_REUSEADDR: connections of an earlier run may still linger on the port.
  if (!g_socket_bind(socket.get(), endpoint.get(), TRUE, &error.raw) || !g_socket_listen(socket.get(), &error.raw)) {
    throw bind_failure(address, port, *error.raw);
  }
  return socket;
}

int listening_port(GSocket* socket) {
  GObjectPtr<GSocketAddress> endpoint(g_socket_get_local_address(socket, nullptr));
  return endpoint ? g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(endpoint.get())) : 0;
}

std::string base_url(const std::string& address, int port) {
  const auto host = address.find(':') == std::string::npos ? address : "[" + address + "]";
  return "http://" + host + ":" + std::to_string(port) + "/";
}

}  // namespace gkv
