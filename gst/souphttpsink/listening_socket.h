#pragma once

#include <string>

#include "glib_handles.h"

namespace gkv {

/// A TCP socket that listens with room for a thousand connects at once (libsoup's own has room for ten).
/// @param address  IPv4 or IPv6 address of this machine, as text
/// @param port  0: the system picks one
/// @throws Failure that names the property to change: `address` or `port`
GObjectPtr<GSocket> open_listening_socket(const std::string& address, int port);

/// @return the port that the socket listens on
int listening_port(GSocket* socket);

/// @return `http://ADDRESS:PORT/`
std::string base_url(const std::string& address, int port);

}  // namespace gkv
