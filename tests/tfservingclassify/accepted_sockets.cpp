#include "accepted_sockets.h"

#include <libsoup/soup.h>

#include <algorithm>

namespace gkv {

void AcceptedSockets::add(GSocket* socket) {
  static const bool kLeaks = !soup_check_version(3, 4, 0);
  const bool known = std::any_of(sockets_.begin(), sockets_.end(), [&](const auto& s) { return s.get() == socket; });
  if (!kLeaks || known) return;
  sweep();
  sockets_.emplace_back(G_SOCKET(g_object_ref(socket)));
}

void AcceptedSockets::sweep() {
  std::erase_if(sockets_, [](const auto& socket) {
    // One is ours; the one that is left when the connection itself is gone is the forgotten one.
    if (!g_socket_is_closed(socket.get()) || G_OBJECT(socket.get())->ref_count > 2) return false;
    if (G_OBJECT(socket.get())->ref_count == 2) g_object_unref(socket.get());
    return true;
  });
}

}  // namespace gkv
