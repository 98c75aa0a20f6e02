#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "glib_handles.h"

namespace gkv {

/// Shows the newest pictures of any number of sources to any number of viewers over HTTP, on a thread of its own.
/// Its methods may be called from any thread and never wait for a viewer.
class HttpServer {
 public:
  struct Config {
    std::string address = "127.0.0.1";       ///< IPv4 or IPv6 address to listen on
    int port = 0;                            ///< 0: the system picks one
    std::string boundary = "MJPEGBOUNDARY";  ///< between the parts of a stream
    /// How long a connection may take to send a request; it is closed then.
    std::chrono::milliseconds request_timeout{10'000};
  };

  /// Listens and serves from now on.
  /// @throws Failure that names the property to change: `address`, `port` or `boundary`
  explicit HttpServer(const Config& config);

  /// Ends the streams as end_streams() does, gives viewers half a second to take what is being sent, and frees the
  /// port.
  ~HttpServer();

  int port() const;

  /// Address of the page.
  std::string url() const;

  /// Shows a picture from now on.
  /// @param source  source id
  /// @param jpeg  the picture; held until a newer one has replaced it for every viewer, not copied
  /// @param capture_time_ns  Unix ns
  void publish(const std::string& source, BytesPtr jpeg, std::optional<std::uint64_t> capture_time_ns);

  /// Ends all streams, each behind the picture being sent. Streams are refused until the next publish().
  void end_streams();

  /// Viewers of streams.
  std::size_t viewers() const;

 private:
  class Service;
  std::unique_ptr<Service> service_;
};

}  // namespace gkv
