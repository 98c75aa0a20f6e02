#include "http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <utility>

namespace gkv::test {
namespace {

constexpr int kHangSeconds = 20;

std::string find_header(const std::string& head, const std::string& name) {
  for (std::size_t begin = 0; begin < head.size();) {
    const auto end = head.find("\r\n", begin);
    const auto line = head.substr(begin, end - begin);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        strncasecmp(line.c_str(), name.c_str(), name.size()) == 0) {
      const auto value = line.find_first_not_of(' ', name.size() + 1);
      return value == std::string::npos ? "" : line.substr(value);
    }
    if (end == std::string::npos) break;
    begin = end + 2;
  }
  return {};
}

}  // namespace

std::string Response::header(const std::string& name) const { return find_header(head, name); }
std::string Part::header(const std::string& name) const { return find_header(headers, name); }

HttpClient::HttpClient(int port, int receive_buffer) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer > 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  const timeval timeout{kHangSeconds, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<in_port_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    const std::string reason = strerror(errno);
    close();
    throw std::runtime_error("connect: " + reason);
  }
}

void HttpClient::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void HttpClient::reset() {
  const linger now{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

void HttpClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) throw std::runtime_error(std::string("send: ") + strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void HttpClient::request(const std::string& path, const std::string& method) {
  send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

bool HttpClient::receive() {
  std::array<char, 65536> buffer;
  const auto count = recv(socket_, buffer.data(), buffer.size(), 0);
  if (count < 0) throw std::runtime_error(std::string("recv: ") + strerror(errno));
  bytes_.append(buffer.data(), static_cast<std::size_t>(count));
  return count > 0;
}

std::string HttpClient::read_line() {
  auto end = bytes_.find("\r\n");
  while (end == std::string::npos) {
    if (!receive()) throw std::runtime_error("connection closed within a line: '" + bytes_ + "'");
    end = bytes_.find("\r\n");
  }
  auto line = bytes_.substr(0, end);
  bytes_.erase(0, end + 2);
  return line;
}

std::string HttpClient::read_bytes(std::size_t count) {
  while (bytes_.size() < count) {
    if (!receive()) throw std::runtime_error("connection closed within a body");
  }
  auto bytes = bytes_.substr(0, count);
  bytes_.erase(0, count);
  return bytes;
}

Response HttpClient::read_head() {
  Response response;
  for (auto line = read_line(); !line.empty(); line = read_line()) response.head += line + "\r\n";
  response.status = std::stoi(response.head.substr(response.head.find(' ') + 1));
  return response;
}

Part HttpClient::read_part(const std::string& boundary) {
  if (!opened_) {
    if (const auto line = read_line(); line != "--" + boundary) throw std::runtime_error("opening line: " + line);
    opened_ = true;
  }
  Part part;
  for (auto line = read_line(); !line.empty(); line = read_line()) part.headers += line + "\r\n";
  part.body = read_bytes(std::stoul(part.header("Content-Length")));
  // The next boundary line is due now, not with the next part.
  const auto end = "\r\n--" + boundary + "\r\n";
  if (const auto bytes = read_bytes(end.size()); bytes != end) throw std::runtime_error("closing line: " + bytes);
  return part;
}

std::string HttpClient::read_to_end() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(kHangSeconds);
  while (receive()) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("the connection is not closed");
  }
  return std::exchange(bytes_, {});
}

Response fetch(int port, const std::string& path, const std::string& method) {
  HttpClient client(port);
  client.send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  auto response = client.read_head();
  response.body = client.read_to_end();
  return response;
}

HttpClient open_stream(int port, const std::string& path, int receive_buffer) {
  HttpClient client(port, receive_buffer);
  client.request(path);
  if (const auto head = client.read_head(); head.status != 200) throw std::runtime_error(head.head);
  return client;
}

bool state_comes_to_contain(int port, const std::string& text) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(kHangSeconds);
  while (std::chrono::steady_clock::now() < deadline) {
    if (fetch(port, "/state").body.find(text) != std::string::npos) return true;
    std::this_thread::yield();
  }
  return false;
}

std::string picture(int number, std::size_t size) {
  auto bytes = "\xff\xd8 picture " + std::to_string(number) + " ";
  bytes.resize(size - 2, '.');
  return bytes + "\xff\xd9";
}

std::optional<int> picture_number(const std::string& bytes) {
  const std::string begin = "\xff\xd8 picture ";
  if (!bytes.starts_with(begin)) return std::nullopt;
  const int number = std::stoi(bytes.substr(begin.size()));
  return bytes == picture(number, bytes.size()) ? std::optional(number) : std::nullopt;
}

}  // namespace gkv::test
