#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gkv::test {

/// What a server answered.
struct Response {
  int status = 0;
  std::string head;  ///< status line and headers
  std::string body;

  /// @return the header's value, or an empty string
  std::string header(const std::string& name) const;
};

/// One part of a multipart stream.
struct Part {
  std::string headers;
  std::string body;

  std::string header(const std::string& name) const;
};

/// A TCP connection to 127.0.0.1 that speaks HTTP by hand, so that a test sees each byte. Blocks; throws
/// std::runtime_error when nothing comes for 20 s, which only bounds a hang.
class HttpClient {
 public:
  /// @param receive_buffer  bytes that the kernel takes for us; 0: its default
  explicit HttpClient(int port, int receive_buffer = 0);
  HttpClient(HttpClient&& other) noexcept : socket_(other.socket_), bytes_(std::move(other.bytes_)) {
    other.socket_ = -1;
  }
  ~HttpClient() { close(); }

  void send(std::string_view bytes);

  /// Sends a request without a body.
  void request(const std::string& path, const std::string& method = "GET");

  /// @return status and headers of the answer
  Response read_head();

  /// @return the next part; the opening boundary line is read on the way. Content-Length says where it ends.
  Part read_part(const std::string& boundary = "MJPEGBOUNDARY");

  /// @return what comes until the server closes the connection
  std::string read_to_end();

  void close();

  /// Goes away without a word of farewell: the peer's next packet is answered with a reset.
  void reset();

 private:
  std::string read_line();
  std::string read_bytes(std::size_t count);
  bool receive();

  int socket_ = -1;
  std::string bytes_;  ///< received, not read yet
  bool opened_ = false;
};

/// A whole answer on a connection of its own.
Response fetch(int port, const std::string& path, const std::string& method = "GET");

/// A connection that has asked for a stream and read the answer's head.
HttpClient open_stream(int port, const std::string& path = "/stream", int receive_buffer = 0);

/// Asks the server for its state until it contains the text.
/// @return whether that came to be; 20 s bound a hang
bool state_comes_to_contain(int port, const std::string& text);

/// Bytes that begin and end as a JPEG picture does, and tell which they are.
std::string picture(int number, std::size_t size = 1000);

/// The number that picture() was given; nullopt where the bytes are not exactly such a picture.
std::optional<int> picture_number(const std::string& bytes);

}  // namespace gkv::test
