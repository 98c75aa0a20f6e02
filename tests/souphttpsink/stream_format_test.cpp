#include "souphttpsink/stream_format.h"

#include <gtest/gtest.h>

#include "common/failure.h"

namespace {

TEST(StreamFormat, NamesTheBoundaryAndDelimitsWithIt) {
  const gkv::StreamFormat format("MJPEGBOUNDARY");
  EXPECT_EQ(format.content_type(), "multipart/x-mixed-replace;boundary=MJPEGBOUNDARY");
  gsize size = 0;
  const auto* opening = static_cast<const char*>(g_bytes_get_data(format.opening(), &size));
  EXPECT_EQ(std::string(opening, size), "--MJPEGBOUNDARY\r\n");
  const auto* closing = static_cast<const char*>(g_bytes_get_data(format.closing(), &size));
  EXPECT_EQ(std::string(closing, size), "\r\n--MJPEGBOUNDARY\r\n");
}

TEST(StreamFormat, QuotesABoundaryThatIsNoToken) {
  EXPECT_EQ(gkv::StreamFormat("a:b").content_type(), "multipart/x-mixed-replace;boundary=\"a:b\"");
}

TEST(StreamFormat, RefusesWhatCannotBeABoundary) {
  for (const std::string& boundary :
       {std::string(), std::string("a b"), std::string("a\r\nb"), std::string("ä"), std::string(71, 'x')}) {
    try {
      [[maybe_unused]] const gkv::StreamFormat taken(boundary);
      FAIL() << "took '" << boundary << "'";
    } catch (const gkv::Failure& failure) {
      EXPECT_NE(std::string(failure.what()).find("property boundary"), std::string::npos);
    }
  }
}

TEST(PartHeaders, HaveTypeLengthAndCaptureTime) {
  EXPECT_EQ(gkv::part_headers(48213, std::nullopt), "Content-Type: image/jpeg\r\nContent-Length: 48213\r\n\r\n");
  EXPECT_EQ(gkv::part_headers(1, 1763901234'000056789U),
            "Content-Type: image/jpeg\r\nContent-Length: 1\r\nX-Timestamp: 1763901234.000056\r\n\r\n");
}

}  // namespace
