#include "jpeg_encoder.h"

#include <gtest/gtest.h>
#include <turbojpeg.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "common/failure.h"

namespace gkv {
namespace {

using Samples = std::vector<std::uint8_t>;

struct Decoded {
  int width = 0;
  int height = 0;
  std::array<int, 3> rgb{};  ///< of the pixel in the middle
};

Decoded decode(const Jpeg& jpeg) {
  Decoded decoded;
  tjhandle handle = tjInitDecompress();
  const auto* data = reinterpret_cast<const unsigned char*>(jpeg.bytes().data());
  int sampling = 0;
  int colours = 0;
  EXPECT_EQ(
      tjDecompressHeader3(handle, data, jpeg.bytes().size(), &decoded.width, &decoded.height, &sampling, &colours), 0);
  Samples pixels(std::size_t(decoded.width * decoded.height) * 3);
  EXPECT_EQ(
      tjDecompress2(handle, data, jpeg.bytes().size(), pixels.data(), decoded.width, 0, decoded.height, TJPF_RGB, 0),
      0);
  tjDestroy(handle);
  const std::size_t middle = std::size_t(decoded.height / 2 * decoded.width + decoded.width / 2) * 3;
  for (std::size_t i = 0; i < 3; ++i) decoded.rgb[i] = pixels[middle + i];
  return decoded;
}

void expect_colour(const Decoded& decoded, int width, int height, std::array<int, 3> rgb) {
  EXPECT_EQ(decoded.width, width);
  EXPECT_EQ(decoded.height, height);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(decoded.rgb[i], rgb[i], 4) << "of component " << i;
}

struct PackedCase {
  PixelLayout layout;
  Samples pixel;  ///< of the colour (200, 30, 90)
};

class Packed : public testing::TestWithParam<PackedCase> {};

TEST_P(Packed, OrderAndStrideAreRight) {
  const Samples& pixel = GetParam().pixel;
  constexpr int kWidth = 33;
  constexpr int kHeight = 17;
  constexpr int kStride = 4 * 40;
  Samples pixels(kStride * kHeight, 255);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      std::copy(pixel.begin(), pixel.end(), pixels.begin() + y * kStride + x * std::ptrdiff_t(pixel.size()));
    }
  }
  const RawPicture picture{.layout = GetParam().layout,
                           .width = kWidth,
                           .height = kHeight,
                           .components = {PictureComponent{.data = pixels.data(), .stride = kStride}}};
  expect_colour(decode(encode_jpeg(picture, 95)), kWidth, kHeight, {200, 30, 90});
}

INSTANTIATE_TEST_SUITE_P(, Packed,
                         testing::Values(PackedCase{PixelLayout::kRgb, {200, 30, 90}},
                                         PackedCase{PixelLayout::kBgr, {90, 30, 200}},
                                         PackedCase{PixelLayout::kRgbx, {200, 30, 90, 7}},
                                         PackedCase{PixelLayout::kBgrx, {90, 30, 200, 7}},
                                         PackedCase{PixelLayout::kXrgb, {7, 200, 30, 90}},
                                         PackedCase{PixelLayout::kXbgr, {7, 90, 30, 200}}));

/// A picture of one colour in planes, with padding that must not be read as picture.
struct Planes {
  static constexpr int kWidth = 35;
  static constexpr int kHeight = 19;
  static constexpr int kStride = 48;

  Planes(std::uint8_t y, std::uint8_t cb, std::uint8_t cr, bool interleaved) : luma(kStride * kHeight, y) {
    for (int i = 0; i < kStride * (kHeight + 1) / 2; ++i) {
      if (interleaved) {
        chroma.insert(chroma.end(), {cb, cr});
      } else {
        chroma.push_back(cb);
      }
    }
    const std::uint8_t* second = chroma.data() + 1;
    if (!interleaved) {
      second_chroma = Samples(chroma.size(), cr);
      second = second_chroma.data();
    }
    const int step = interleaved ? 2 : 1;
    picture = {.layout = PixelLayout::kYuv420,
               .width = kWidth,
               .height = kHeight,
               .components = {PictureComponent{luma.data(), kStride, 1}, PictureComponent{chroma.data(), kStride, step},
                              PictureComponent{second, kStride, step}}};
  }

  Samples luma;
  Samples chroma;
  Samples second_chroma;
  RawPicture picture;
};

TEST(Planar, FullRangeIsTakenAsItIs) {
  for (bool interleaved : {false, true}) {
    // BT.601, full range, of (200, 30, 90)
    Planes planes(88, 129, 208, interleaved);
    expect_colour(decode(encode_jpeg(planes.picture, 95)), 35, 19, {200, 30, 90});
  }
}

TEST(Planar, LimitedRangeIsExpanded) {
  for (bool interleaved : {false, true}) {
    // BT.601, limited range, of (200, 30, 90)
    Planes planes(91, 129, 198, interleaved);
    planes.picture.limited_range = true;
    expect_colour(decode(encode_jpeg(planes.picture, 95)), 35, 19, {200, 30, 90});
  }
}

TEST(Planar, GrayIsOnePlane) {
  Planes planes(120, 0, 0, false);
  planes.picture.layout = PixelLayout::kGray;
  planes.picture.components[1] = planes.picture.components[2] = {};
  expect_colour(decode(encode_jpeg(planes.picture, 95)), 35, 19, {120, 120, 120});
}

TEST(EncodeJpeg, TellsWhatItCannotDo) {
  const Samples pixel = {1, 2, 3};
  const RawPicture picture{.layout = PixelLayout::kRgb,
                           .width = 70000,
                           .height = 0,
                           .components = {PictureComponent{.data = pixel.data(), .stride = 3}}};
  try {
    encode_jpeg(picture, 90);
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_NE(failure.detail(), "");
  }
}

}  // namespace
}  // namespace gkv
