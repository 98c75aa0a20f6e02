#include "souphttpsink/routes.h"

#include <gtest/gtest.h>

namespace {

using gkv::Endpoint;
using gkv::find_route;
using gkv::Route;

TEST(Routes, AreFound) {
  EXPECT_EQ(find_route("/"), (Route{Endpoint::kPage, ""}));
  EXPECT_EQ(find_route("/page.js"), (Route{Endpoint::kPageScript, ""}));
  EXPECT_EQ(find_route("/page.css"), (Route{Endpoint::kPageStyle, ""}));
  EXPECT_EQ(find_route("/state"), (Route{Endpoint::kState, ""}));
  EXPECT_EQ(find_route("/stream"), (Route{Endpoint::kStream, ""}));
  EXPECT_EQ(find_route("/stream/"), (Route{Endpoint::kStream, ""}));
  EXPECT_EQ(find_route("/stream/camera-1"), (Route{Endpoint::kStream, "camera-1"}));
  EXPECT_EQ(find_route("/snapshot/camera-1"), (Route{Endpoint::kSnapshot, "camera-1"}));
}

TEST(Routes, DecodeTheSource) {
  EXPECT_EQ(find_route("/stream/back%20door%2F2"), (Route{Endpoint::kStream, "back door/2"}));
  EXPECT_EQ(find_route("/stream/T%C3%BCr"), (Route{Endpoint::kStream, "Tür"}));
  EXPECT_EQ(find_route("/stream/a/b"), (Route{Endpoint::kStream, "a/b"}));
  EXPECT_EQ(find_route("/stream/.."), (Route{Endpoint::kStream, ".."})) << "a name like any other";
}

TEST(Routes, AreNotGuessed) {
  for (const auto* path : {"", "*", "/x", "/streams", "/state/x", "/page.js/", "//", "/stream/%zz", "/stream/%00",
                           "/stream/%ff", "/STREAM"}) {
    EXPECT_EQ(find_route(path), std::nullopt) << path;
  }
}

}  // namespace
