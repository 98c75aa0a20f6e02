#pragma once

#include <vector>

#include "glib_handles.h"

namespace gkv {

/// Frees the GSocket of each connection that is over, where libsoup forgets to: before 3.4 it never gives back the
/// reference that accepting gave it (336 bytes a connection). Lives on the server's thread.
class AcceptedSockets {
 public:
  /// @param socket  of a connection that has begun; one that is known already is ignored
  void add(GSocket* socket);

  /// Frees those that are closed and that nobody else holds.
  void sweep();

 private:
  std::vector<GObjectPtr<GSocket>> sockets_;
};

}  // namespace gkv
