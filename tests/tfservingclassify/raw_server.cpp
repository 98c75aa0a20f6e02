#include "raw_server.h"

#include <array>
#include <utility>

namespace gkv::test {

bool RawConnection::fill() {
  std::array<char, 65536> bytes;
  GInputStream* stream = g_io_stream_get_input_stream(G_IO_STREAM(connection_));
  const gssize size = g_input_stream_read(stream, bytes.data(), bytes.size(), nullptr, nullptr);
  if (size > 0) unread_.append(bytes.data(), static_cast<std::size_t>(size));
  return size > 0;
}

bool RawConnection::read_request() {
  std::size_t head = 0;
  while ((head = unread_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return false;
  }
  std::size_t size = head + 4;
  const auto length = unread_.find("Content-Length: ");
  if (length < head) size += std::stoul(unread_.substr(length + 16));
  while (unread_.size() < size) {
    if (!fill()) return false;
  }
  unread_.erase(0, size);
  return true;
}

bool RawConnection::write(const std::string& text) {
  GOutputStream* stream = g_io_stream_get_output_stream(G_IO_STREAM(connection_));
  return g_output_stream_write_all(stream, text.data(), text.size(), nullptr, nullptr, nullptr);
}

void RawConnection::wait_for_close() {
  while (fill()) unread_.clear();
}

RawServer::RawServer(std::vector<Script> scripts) : listener_(g_socket_listener_new()), stop_(g_cancellable_new()) {
  GInetAddress* loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
  GSocketAddress* any_port = g_inet_socket_address_new(loopback, 0);
  GSocketAddress* address = nullptr;
  g_socket_listener_add_address(listener_, any_port, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, nullptr, &address,
                                nullptr);
  port_ = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address));
  g_object_unref(address);
  g_object_unref(any_port);
  g_object_unref(loopback);
  thread_ = std::thread([this, scripts = std::move(scripts)] {
    for (const Script& script : scripts) {
      GSocketConnection* accepted = g_socket_listener_accept(listener_, nullptr, stop_, nullptr);
      if (!accepted) return;
      RawConnection connection(accepted);
      script(connection);
      g_io_stream_close(G_IO_STREAM(accepted), nullptr, nullptr);
      g_object_unref(accepted);
    }
  });
}

RawServer::~RawServer() {
  g_cancellable_cancel(stop_);
  thread_.join();
  g_object_unref(stop_);
  g_socket_listener_close(listener_);
  g_object_unref(listener_);
}

}  // namespace gkv::test
