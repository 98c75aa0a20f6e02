#pragma once

#include <gio/gio.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace gkv::test {

/// A connection on which a test says what an HTTP server must not.
class RawConnection {
 public:
  explicit RawConnection(GSocketConnection* connection) : connection_(connection) {}

  /// Reads a request with its body. @return false where the client has closed
  bool read_request();
  /// @return false where the client has closed
  bool write(const std::string& text);
  void wait_for_close();

 private:
  bool fill();

  GSocketConnection* connection_;
  std::string unread_;
};

/// Serves one connection after another, each with its own script, and closes it at the script's end.
class RawServer {
 public:
  using Script = std::function<void(RawConnection&)>;

  explicit RawServer(std::vector<Script> scripts);
  ~RawServer();

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  GSocketListener* listener_;
  GCancellable* stop_;
  unsigned port_ = 0;
  std::thread thread_;
};

}  // namespace gkv::test
