#pragma once

#include <libsoup/soup.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "glib_handles.h"

namespace gkv {

/// The TCP connections of an HTTP server: takes them from the listening socket and hands them to libsoup, as many as
/// the process has descriptors to spare for, and closes those that do not send a request in time. Each carries one
/// request. (libsoup's own listener neither has limits nor goes on after an accept that failed.)
/// Lives on the server's thread.
class Connections {
 public:
  using Clock = std::chrono::steady_clock;

  /// @param listener  socket that listens
  /// @param server  must outlive this
  /// @param context  of the server's thread
  /// @param request_timeout  from the connect to the end of the request
  Connections(GObjectPtr<GSocket> listener, SoupServer* server, GMainContext* context,
              std::chrono::milliseconds request_timeout);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// @return the message's socket, which is the connection's; null when that is over
  GSocket* socket(SoupServerMessage* message) const;

 private:
  struct Connection {
    GSocketConnection* stream;                  ///< libsoup's; not here any more once it is gone
    GSocketAddress* peer;                       ///< libsoup's: the one object that a connection and its message share
    std::optional<Clock::time_point> deadline;  ///< of the request; nullopt: it has come, or was given up
  };

  static gboolean incoming(GSocket* listener, GIOCondition condition, gpointer self);
  static gboolean time_to_listen(gpointer self);
  static gboolean time_to_give_up(gpointer self);
  static void request_read(SoupServer* server, SoupServerMessage* message, gpointer self);
  static void gone(gpointer self, GObject* stream);

  void listen();
  void accept();
  void hand_over(GSocket* socket);
  Clock::time_point give_up_overdue();

  const GObjectPtr<GSocket> listener_;
  SoupServer* const server_;
  GMainContext* const context_;
  const std::chrono::milliseconds request_timeout_;
  const std::size_t limit_;
  std::vector<Connection> connections_;
  SourcePtr incoming_;  ///< null during a pause
  SourcePtr pause_over_;
  SourcePtr give_up_;
};

}  // namespace gkv
