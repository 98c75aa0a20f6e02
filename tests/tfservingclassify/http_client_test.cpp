#include "http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>

#include "critical_log.h"
#include "event_loop.h"
#include "model_server.h"
#include "raw_server.h"

namespace gkv {
namespace {

using namespace std::chrono_literals;
using test::RawConnection;
using test::RawServer;
using testing::HasSubstr;

constexpr const char* kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

void answer_once(RawConnection& connection) {
  if (connection.read_request()) connection.write(kAnswer);
}

class Http : public testing::Test {
 protected:
  Http() {
    loop_.run([this] { client_ = std::make_unique<HttpClient>(2); });
  }
  ~Http() override {
    loop_.run([this] { client_.reset(); });
  }

  std::future<HttpResult> send(HttpRequest request) {
    auto result = std::make_shared<std::promise<HttpResult>>();
    loop_.run([this, request = std::move(request), result]() mutable {
      client_->send(std::move(request), [result](HttpResult found) { result->set_value(std::move(found)); });
    });
    return result->get_future();
  }
  std::future<HttpResult> post(const std::string& url, std::chrono::milliseconds timeout = 20s) {
    return send({.url = url, .json = "{\"a\":1}", .timeout = timeout});
  }
  static std::string body_of(const HttpResult& result) {
    if (const auto* failure = std::get_if<HttpFailure>(&result)) return "failed: " + failure->words;
    return std::get<HttpResponse>(result).body;
  }
  static HttpFailure::Kind kind_of(const HttpResult& result) { return std::get<HttpFailure>(result).kind; }

  std::unique_ptr<HttpClient> client_;  ///< loop's thread only
  EventLoop loop_;
};

TEST_F(Http, SendsTheBodyAndReadsTheAnswer) {
  test::ModelServer server([](const std::string& path, const std::string&) {
    return test::Reply{.status = 404, .body = "nothing at " + path, .content_type = "text/plain"};
  });
  const HttpResult result = post(server.url("/v1/x:predict")).get();
  EXPECT_EQ(std::get<HttpResponse>(result).status, 404U);
  EXPECT_EQ(std::get<HttpResponse>(result).reason, "Not Found");
  EXPECT_EQ(body_of(result), "nothing at /v1/x:predict");
  EXPECT_THAT(server.bodies(), testing::ElementsAre("{\"a\":1}"));
}

TEST_F(Http, KeepsTheConnection) {
  // A second connection would find nobody.
  RawServer server({[](RawConnection& connection) {
    while (connection.read_request()) connection.write(kAnswer);
  }});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(body_of(post(server.url()).get()), "ok");
  loop_.run([this] { client_.reset(); });
}

TEST_F(Http, RepeatsOnceWhatFoundAStaleConnection) {
  const auto answer_then_vanish = [](RawConnection& connection) {
    answer_once(connection);
    connection.read_request();
  };
  RawServer server({answer_then_vanish, answer_once});
  EXPECT_EQ(body_of(post(server.url()).get()), "ok");
  EXPECT_EQ(body_of(post(server.url()).get()), "ok");
}

TEST_F(Http, RepeatsNoMoreThanOnce) {
  const auto answer_then_vanish = [](RawConnection& connection) {
    answer_once(connection);
    connection.read_request();
  };
  const auto vanish = [](RawConnection& connection) { connection.read_request(); };
  RawServer server({answer_then_vanish, vanish, answer_once});
  EXPECT_EQ(body_of(post(server.url()).get()), "ok");
  EXPECT_EQ(kind_of(post(server.url()).get()), HttpFailure::Kind::kUnreachable);
}

TEST_F(Http, DoesNotRepeatOnAFreshConnection) {
  const auto vanish = [](RawConnection& connection) { connection.read_request(); };
  RawServer server({vanish, answer_once});
  EXPECT_EQ(kind_of(post(server.url()).get()), HttpFailure::Kind::kUnreachable);
}

TEST_F(Http, RefusedConnectionIsUnreachable) {
  test::ModelServer server([](const std::string&, const std::string&) { return test::Reply{}; });
  server.stop();
  const HttpResult result = post(server.url("/")).get();
  EXPECT_EQ(kind_of(result), HttpFailure::Kind::kUnreachable);
  EXPECT_THAT(std::get<HttpFailure>(result).words, HasSubstr("refused"));
}

TEST_F(Http, TruncatedAnswerIsUnreachable) {
  RawServer server({[](RawConnection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"predictions\":");
  }});
  EXPECT_EQ(kind_of(post(server.url()).get()), HttpFailure::Kind::kUnreachable);
}

TEST_F(Http, GarbageIsUnreachable) {
  RawServer server({[](RawConnection& connection) {
    connection.read_request();
    connection.write(std::string(5000, '\x01') + "\r\n\r\n");
  }});
  EXPECT_EQ(kind_of(post(server.url()).get()), HttpFailure::Kind::kUnreachable);
}

TEST_F(Http, EndlessAnswerIsGivenUp) {
  std::size_t written = 0;
  RawServer server({[&written](RawConnection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
    while (connection.write(chunk)) written += chunk.size();
  }});
  EXPECT_EQ(kind_of(post(server.url()).get()), HttpFailure::Kind::kTooLarge);
}

TEST_F(Http, SlowServerIsATimeout) {
  RawServer server({[](RawConnection& connection) { connection.wait_for_close(); }});
  EXPECT_EQ(kind_of(post(server.url(), 30ms).get()), HttpFailure::Kind::kTimeout);
}

TEST_F(Http, ServerThatStopsInTheMiddleIsATimeout) {
  RawServer server({[](RawConnection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
    connection.wait_for_close();
  }});
  EXPECT_EQ(kind_of(post(server.url(), 30ms).get()), HttpFailure::Kind::kTimeout);
}

TEST_F(Http, RedirectionIsAnAnswer) {
  RawServer server({[](RawConnection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 307 Temporary Redirect\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n");
  }});
  const HttpResult result = post(server.url()).get();
  ASSERT_TRUE(std::holds_alternative<HttpResponse>(result)) << body_of(result);
  EXPECT_EQ(std::get<HttpResponse>(result).status, 307U);
}

TEST_F(Http, NoUrlIsUnreachable) { EXPECT_EQ(kind_of(post("no url").get()), HttpFailure::Kind::kUnreachable); }

TEST_F(Http, TwoRequestsToOneHostAreUnderWayAtOnce) {
  test::ModelServer server(
      [](const std::string&, const std::string&) { return test::Reply{.body = "ok", .held = true}; });
  auto first = post(server.url("/a"));
  auto second = post(server.url("/b"));
  ASSERT_TRUE(server.wait_for_requests(2));
  server.release();
  EXPECT_EQ(body_of(first.get()), "ok");
  EXPECT_EQ(body_of(second.get()), "ok");
}

TEST_F(Http, DestructionCancelsAndDoesNotWait) {
  test::ModelServer server(
      [](const std::string&, const std::string&) { return test::Reply{.body = "ok", .held = true}; });
  auto result = post(server.url("/"));
  ASSERT_TRUE(server.wait_for_requests(1));
  std::promise<void> gone;
  loop_.run([&] {
    client_.reset();
    gone.set_value();
  });
  EXPECT_EQ(gone.get_future().wait_for(5s), std::future_status::ready);
  EXPECT_THROW(result.get(), std::future_error);  // the handler was dropped uncalled
}

TEST_F(Http, SendsNothingWhileItIsDestroyed) {
  test::RefusesCriticals refuses_criticals("libsoup");
  std::promise<void> gone;
  bool sent = false;
  loop_.run([&] {
    // Due at once: fires while the client's end runs the main context.
    const Timer late(0ms, [&sent, client = client_.get()] {
      sent = true;
      client->send({.url = "http://127.0.0.1:1/", .json = "{}", .timeout = 20s}, [](const HttpResult&) { FAIL(); });
    });
    client_.reset();
    gone.set_value();
  });
  EXPECT_EQ(gone.get_future().wait_for(5s), std::future_status::ready);
  EXPECT_TRUE(sent);
}

}  // namespace
}  // namespace gkv
