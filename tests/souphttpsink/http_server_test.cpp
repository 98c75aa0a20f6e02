#include "souphttpsink/http_server.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "common/failure.h"
#include "http_client.h"

namespace {

using gkv::HttpServer;
using gkv::test::fetch;
using gkv::test::HttpClient;
using gkv::test::open_stream;
using gkv::test::picture;
using gkv::test::picture_number;
using gkv::test::state_comes_to_contain;

class HttpServerTest : public testing::Test {
 protected:
  void publish(int number, const std::string& source = "camera", std::size_t size = 1000) {
    server_.publish(source, gkv::make_bytes(picture(number, size)), std::nullopt);
  }
  int port() const { return server_.port(); }

  HttpServer server_{HttpServer::Config{}};
};

std::string failure_of(const HttpServer::Config& config) {
  try {
    HttpServer{config};
  } catch (const gkv::Failure& failure) {
    EXPECT_FALSE(failure.detail().empty());
    return failure.what();
  }
  return "no failure";
}

TEST_F(HttpServerTest, StreamsEachFrameWholeInAPart) {
  server_.publish("camera", gkv::make_bytes(picture(1)), 1763901234'500000000U);
  auto viewer = open_stream(port());
  const auto part = viewer.read_part();
  EXPECT_EQ(part.header("Content-Type"), "image/jpeg");
  EXPECT_EQ(part.header("X-Timestamp"), "1763901234.500000");
  EXPECT_EQ(part.body, picture(1));
  for (int number = 2; number < 50; ++number) {
    publish(number, "camera", 100 + static_cast<std::size_t>(number) * 5000);
    EXPECT_EQ(picture_number(viewer.read_part().body), number);
  }
}

TEST_F(HttpServerTest, AnswersAStreamRequestWithTheRightHead) {
  publish(1);
  for (const auto* method : {"GET", "HEAD"}) {
    HttpClient client(port());
    client.request("/stream", method);
    const auto head = client.read_head();
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.header("Content-Type"), "multipart/x-mixed-replace;boundary=MJPEGBOUNDARY");
    EXPECT_EQ(head.header("Cache-Control"), "no-store");
    EXPECT_EQ(head.header("X-Accel-Buffering"), "no");
    EXPECT_EQ(head.header("Connection"), "close");
    EXPECT_EQ(head.header("Content-Length"), "");
    EXPECT_EQ(head.header("Transfer-Encoding"), "");
    if (std::string(method) == "HEAD") {
      EXPECT_EQ(client.read_to_end(), "");
    }
  }
}

TEST_F(HttpServerTest, ShowsANewViewerTheNewestFrameAtOnce) {
  publish(1);
  publish(2);
  EXPECT_EQ(picture_number(open_stream(port()).read_part().body), 2);
}

TEST_F(HttpServerTest, NeverMixesSources) {
  publish(1, "left");
  publish(1001, "right");
  auto left = open_stream(port(), "/stream/left");
  auto right = open_stream(port(), "/stream/right");
  auto any = open_stream(port());
  EXPECT_EQ(picture_number(any.read_part().body), 1);
  EXPECT_EQ(picture_number(left.read_part().body), 1);
  EXPECT_EQ(picture_number(right.read_part().body), 1001);
  for (int number = 2; number < 30; ++number) {
    publish(1000 + number, "right");
    publish(number, "left");
    EXPECT_EQ(picture_number(any.read_part().body), number);
    EXPECT_EQ(picture_number(left.read_part().body), number);
    EXPECT_EQ(picture_number(right.read_part().body), 1000 + number);
  }
}

TEST_F(HttpServerTest, ShowsTheFirstSourceToWhomCameBeforeIt) {
  auto early = open_stream(port());
  EXPECT_TRUE(state_comes_to_contain(port(), "\"viewers\":1"));
  publish(7, "late");
  EXPECT_EQ(picture_number(early.read_part().body), 7);
  publish(8, "other");
  publish(9, "late");
  EXPECT_EQ(picture_number(early.read_part().body), 9);
}

TEST_F(HttpServerTest, RepeatsTheLastFrameWhenNothingComes) {
  publish(1);
  auto viewer = open_stream(port());
  for (int count = 0; count < 3; ++count) EXPECT_EQ(picture_number(viewer.read_part().body), 1);
}

TEST_F(HttpServerTest, GivesASlowViewerFewerWholeNewFramesAtNoCostToOthers) {
  constexpr int kLast = 200;
  constexpr std::size_t kSize = 100'000;
  publish(1, "camera", kSize);
  auto slow = open_stream(port(), "/stream", 4096);
  auto fast = open_stream(port());
  EXPECT_EQ(picture_number(fast.read_part().body), 1);
  for (int number = 2; number <= kLast; ++number) {
    publish(number, "camera", kSize);
    EXPECT_EQ(picture_number(fast.read_part().body), number);
  }
  std::vector<int> seen;
  while (seen.empty() || seen.back() < kLast) {
    const auto number = picture_number(slow.read_part().body);
    ASSERT_TRUE(number) << "a broken frame";
    ASSERT_TRUE(seen.empty() || *number > seen.back()) << "an old frame";
    seen.push_back(*number);
  }
  EXPECT_LE(seen.size(), 4U) << "only what was on its way before the newest";
}

TEST_F(HttpServerTest, NeverWaitsForViewersThatReadNothing) {
  publish(1);
  std::vector<HttpClient> viewers;
  for (int count = 0; count < 30; ++count) viewers.push_back(open_stream(port(), "/stream", 4096));
  for (int number = 2; number <= 300; ++number) publish(number, "camera", 500'000);
  auto fresh = open_stream(port());
  EXPECT_EQ(picture_number(fresh.read_part().body), 300);
}

TEST_F(HttpServerTest, NoticesViewersThatLeave) {
  publish(1);
  auto closes = open_stream(port());
  auto resets = open_stream(port());
  auto stays = open_stream(port());
  EXPECT_TRUE(state_comes_to_contain(port(), "\"viewers\":3"));
  closes.close();
  EXPECT_TRUE(state_comes_to_contain(port(), "\"viewers\":2"));
  resets.reset();
  EXPECT_TRUE(state_comes_to_contain(port(), "\"viewers\":1"));
  stays.read_part();
  publish(2);
  EXPECT_EQ(picture_number(stays.read_part().body), 2);
}

TEST_F(HttpServerTest, NoticesThatASlowViewerLeaves) {
  publish(1, "camera", 5'000'000);
  auto slow = open_stream(port(), "/stream", 4096);
  EXPECT_TRUE(state_comes_to_contain(port(), "\"viewers\":1"));
  slow.close();
  EXPECT_TRUE(state_comes_to_contain(port(), "\"viewers\":0"));
}

TEST_F(HttpServerTest, NoticesViewersThatLeaveBeforeTheFirstFrame) {
  auto early = open_stream(port());
  EXPECT_TRUE(state_comes_to_contain(port(), "\"viewers\":1"));
  early.close();
  EXPECT_TRUE(state_comes_to_contain(port(), "\"viewers\":0"));
}

TEST_F(HttpServerTest, IsNotKeptBusyByAViewerThatSendsMore) {
  publish(1);
  auto viewer = open_stream(port());
  viewer.send("GET /state HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(picture_number(viewer.read_part().body), 1);
  publish(2);
  EXPECT_EQ(picture_number(viewer.read_part().body), 2);
}

TEST_F(HttpServerTest, AnswersSnapshots) {
  EXPECT_EQ(fetch(port(), "/snapshot").status, 503);
  EXPECT_EQ(fetch(port(), "/snapshot/camera").status, 404);
  publish(1, "camera");
  publish(2, "back door");
  const auto any = fetch(port(), "/snapshot");
  EXPECT_EQ(any.status, 200);
  EXPECT_EQ(any.header("Content-Type"), "image/jpeg");
  EXPECT_EQ(any.header("Cache-Control"), "no-store");
  EXPECT_EQ(any.body, picture(1));
  EXPECT_EQ(fetch(port(), "/snapshot/back%20door").body, picture(2));
  EXPECT_EQ(fetch(port(), "/snapshot/unknown").status, 404);
  const auto head = fetch(port(), "/snapshot", "HEAD");
  EXPECT_EQ(head.header("Content-Length"), "1000");
  EXPECT_EQ(head.body, "");
}

TEST_F(HttpServerTest, TellsItsState) {
  EXPECT_EQ(fetch(port(), "/state").body, R"({"sources":[],"viewers":0})");
  publish(1, "back \"door\"");
  publish(2, "back \"door\"");
  const auto state = fetch(port(), "/state");
  EXPECT_EQ(state.header("Content-Type"), "application/json");
  EXPECT_TRUE(state.body.starts_with(R"({"sources":[{"id":"back \"door\"","frames":2,"age_ms":)")) << state.body;
  EXPECT_TRUE(state.body.ends_with(R"("viewers":0}],"viewers":0})")) << state.body;
}

TEST_F(HttpServerTest, ServesThePageAndItsFiles) {
  const auto page = fetch(port(), "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_TRUE(page.header("Content-Type").starts_with("text/html"));
  EXPECT_NE(page.body.find("<img src=\"stream\""), std::string::npos) << "the stream for browsers without script";
  for (const auto* file : {"page.js", "page.css"}) {
    EXPECT_NE(page.body.find(std::string("\"") + file + "\""), std::string::npos);
    EXPECT_EQ(fetch(port(), std::string("/") + file).status, 200);
  }
}

TEST_F(HttpServerTest, RefusesWhatItDoesNotServe) {
  EXPECT_EQ(fetch(port(), "/nothing").status, 404);
  EXPECT_EQ(fetch(port(), "/stream/unknown").status, 404);
  const auto post = fetch(port(), "/stream", "POST");
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.header("Allow"), "GET, HEAD");
}

TEST_F(HttpServerTest, RefusesRequestBodies) {
  HttpClient sized(port());
  sized.send("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(sized.read_head().status, 413);
  HttpClient chunked(port());
  chunked.send("GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.read_head().status, 413);
  HttpClient asking(port());
  asking.send("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(asking.read_head().status, 413) << "before the body";
}

TEST_F(HttpServerTest, DropsAClientThatSendsABodyWithoutEnd) {
  HttpClient client(port());
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n");
  const std::string megabyte(1 << 20, 'x');
  EXPECT_THROW(for (int count = 0; count < 1000; ++count) client.send(megabyte), std::runtime_error);
}

TEST_F(HttpServerTest, SurvivesMalformedRequests) {
  for (const std::string& request :
       {std::string("\r\n\r\n\r\n"), std::string("GET\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n"),
        std::string("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"), std::string(300'000, 'A'),
        "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(300'000, 'h') + "\r\n\r\n", std::string("\0\1\2\3\r\n\r\n", 8),
        std::string("GET / HTTP/1.1\r\nContent-Length: -1\r\nHost: x\r\n\r\n")}) {
    HttpClient client(port());
    try {
      client.send(request);
    } catch (const std::runtime_error&) {
      // It may be cut off before it has said all.
    }
  }
  publish(1);
  EXPECT_EQ(picture_number(open_stream(port()).read_part().body), 1);
}

TEST_F(HttpServerTest, EndsStreamsBehindAWholePart) {
  publish(1, "camera", 300'000);
  auto idle = open_stream(port());
  EXPECT_EQ(picture_number(idle.read_part().body), 1);
  auto slow = open_stream(port(), "/stream", 4096);
  auto early_other = open_stream(port());
  server_.end_streams();
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_EQ(picture_number(slow.read_part().body), 1);
  EXPECT_EQ(slow.read_to_end(), "");
  const auto rest = early_other.read_to_end();
  EXPECT_TRUE(rest.ends_with("--MJPEGBOUNDARY\r\n"));
  EXPECT_EQ(fetch(port(), "/stream").status, 503);
  EXPECT_EQ(fetch(port(), "/snapshot").status, 200);
  publish(2);
  EXPECT_EQ(picture_number(open_stream(port()).read_part().body), 2) << "a new stream has begun";
}

TEST(HttpServer, StopsWithinTheGraceHoweverSlowItsViewers) {
  auto server = std::make_unique<HttpServer>(HttpServer::Config{});
  server->publish("camera", gkv::make_bytes(picture(1, 20'000'000)), std::nullopt);
  auto slow = open_stream(server->port(), "/stream", 4096);
  const auto port = server->port();
  server.reset();
  HttpServer again({.port = port});
  EXPECT_EQ(again.port(), port);
}

TEST(HttpServer, TakesManyConnectsAtOnce) {
  HttpServer server{HttpServer::Config{}};
  server.publish("camera", gkv::make_bytes(picture(1)), std::nullopt);
  std::vector<HttpClient> clients;
  for (int count = 0; count < 400; ++count) clients.emplace_back(server.port());
  for (auto& client : clients) client.request("/stream");
  for (auto& client : clients) {
    EXPECT_EQ(client.read_head().status, 200);
    EXPECT_EQ(picture_number(client.read_part().body), 1);
  }
  EXPECT_EQ(server.viewers(), 400U);
}

TEST(HttpServer, NamesThePropertyThatIsWrong) {
  HttpServer other{HttpServer::Config{}};
  const auto taken = failure_of({.port = other.port()});
  EXPECT_NE(taken.find("Port " + std::to_string(other.port())), std::string::npos) << taken;
  EXPECT_NE(taken.find("property port"), std::string::npos) << taken;
  for (const auto* address : {"", "nonsense", "localhost", "203.0.113.7"}) {
    EXPECT_NE(failure_of({.address = address}).find("property address"), std::string::npos) << address;
  }
  EXPECT_NE(failure_of({.boundary = "two words"}).find("property boundary"), std::string::npos);
}

TEST(HttpServer, UsesItsBoundary) {
  HttpServer server({.boundary = "other"});
  server.publish("camera", gkv::make_bytes(picture(1)), std::nullopt);
  EXPECT_EQ(picture_number(open_stream(server.port()).read_part("other").body), 1);
}

TEST(HttpServer, NamesItsUrl) {
  HttpServer server{HttpServer::Config{}};
  EXPECT_EQ(server.url(), "http://127.0.0.1:" + std::to_string(server.port()) + "/");
}

}  // namespace
