#pragma once

#include <gio/gio.h>

#include <memory>
#include <vector>

namespace gkv {

struct SocketUnref {
  void operator()(GSocket* socket) const { g_object_unref(socket); }
};

/// Frees the GSocket of each connection of a SoupServer that is over: before 3.4 libsoup never gives back the reference
/// that accepting gave it, which the leak sanitizer would find. Lives on the server's thread.
class AcceptedSockets {
 public:
  /// @param socket  of a connection that has begun; one that is known already is ignored
  void add(GSocket* socket);

  /// Frees those that are closed and that nobody else holds.
  void sweep();

 private:
  std::vector<std::unique_ptr<GSocket, SocketUnref>> sockets_;
};

}  // namespace gkv
