#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <vector>

#include "http_client.h"
#include "souphttpsink/http_server.h"

namespace {

using gkv::HttpServer;
using gkv::test::fetch;
using gkv::test::HttpClient;
using gkv::test::open_stream;
using gkv::test::picture;
using gkv::test::picture_number;
using gkv::test::state_comes_to_contain;

/// Lowers the number of descriptors that this process may have, for as long as it lives.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t limit) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit lower{limit, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
  }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;

 private:
  rlimit before_{};
};

/// Every descriptor that this process may still have.
class AllDescriptors {
 public:
  AllDescriptors() {
    for (int taken = take(); taken >= 0; taken = take()) taken_.push_back(taken);
  }
  ~AllDescriptors() {
    while (!taken_.empty()) give_back_one();
  }
  AllDescriptors(const AllDescriptors&) = delete;
  AllDescriptors& operator=(const AllDescriptors&) = delete;

  void give_back_one() {
    close(taken_.back());
    taken_.pop_back();
  }

 private:
  static int take() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }
  std::vector<int> taken_;
};

TEST(Connections, AreTakenAgainAfterTheProcessRanOutOfDescriptors) {
  HttpServer server{HttpServer::Config{}};
  HttpClient first(server.port());
  HttpClient second(server.port());
  EXPECT_EQ(fetch(server.port(), "/state").status, 200) << "and so first and second have been taken";
  std::optional<HttpClient> late;
  {
    const DescriptorLimit limit(100);
    AllDescriptors all;
    all.give_back_one();
    late.emplace(server.port());
    // The server has woken up for `late` by the time of the first answer, and is done with it by the second.
    for (auto* client : {&first, &second}) {
      client->request("/state");
      EXPECT_EQ(client->read_head().status, 200) << "open connections are served";
    }
  }
  late->request("/state");
  EXPECT_EQ(late->read_head().status, 200);
  EXPECT_EQ(fetch(server.port(), "/state").status, 200);
}

TEST(Connections, TakeHalfOfTheDescriptorsAtMost) {
  constexpr int kDescriptors = 100;
  std::optional<HttpServer> server;
  {
    const DescriptorLimit limit(kDescriptors);
    server.emplace(HttpServer::Config{});
  }
  std::vector<HttpClient> silent;
  for (int count = 0; count < kDescriptors / 2; ++count) silent.emplace_back(server->port());
  HttpClient refused(server->port());
  EXPECT_EQ(refused.read_head().status, 503);
  EXPECT_EQ(refused.read_to_end(), "Too many connections.\n");
  silent.front().request("/state");
  EXPECT_EQ(silent.front().read_head().status, 200) << "who is connected is served";
  silent.clear();
  int status = 503;
  const auto hang = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (status == 503 && std::chrono::steady_clock::now() < hang) {
    try {
      status = fetch(server->port(), "/state").status;
    } catch (const std::runtime_error&) {
      // Refused, and with a reset, for it had asked already.
    }
  }
  EXPECT_EQ(status, 200);
}

TEST(Connections, EndWhenNoWholeRequestComesInTime) {
  HttpServer server({.request_timeout = std::chrono::milliseconds(200)});
  server.publish("camera", gkv::make_bytes(picture(1)), std::nullopt);
  auto viewer = open_stream(server.port());
  HttpClient silent(server.port());
  HttpClient slow_head(server.port());
  slow_head.send("GET /state HTTP/1.1\r\nHost: loc");
  HttpClient slow_body(server.port());
  slow_body.send("POST /state HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx");
  EXPECT_EQ(silent.read_to_end(), "");
  EXPECT_EQ(slow_head.read_to_end(), "");
  slow_body.read_to_end();
  EXPECT_EQ(picture_number(viewer.read_part().body), 1);
  server.publish("camera", gkv::make_bytes(picture(2)), std::nullopt);
  EXPECT_EQ(picture_number(viewer.read_part().body), 2) << "a response may take as long as it likes";
  EXPECT_TRUE(state_comes_to_contain(server.port(), "\"viewers\":1"));
}

TEST(Connections, CarryOneRequest) {
  HttpServer server{HttpServer::Config{}};
  HttpClient client(server.port());
  client.request("/state");
  EXPECT_EQ(client.read_head().header("Connection"), "close");
  EXPECT_EQ(client.read_to_end(), R"({"sources":[],"viewers":0})");
}

}  // namespace
