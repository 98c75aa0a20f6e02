#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace gkv {

enum class PixelLayout { kGray, kYuv420, kRgb, kBgr, kRgbx, kBgrx, kXrgb, kXbgr };

/// Where the samples of a component, or the pixels of a packed layout, lie. Borrowed.
struct PictureComponent {
  const std::uint8_t* data = nullptr;
  int stride = 0;  ///< bytes from one row to the next
  int step = 1;    ///< bytes from one sample of a component to the next
};

/// Pixels in memory. Packed layouts have one component, kGray has one, kYuv420 has three (Y, Cb, Cr).
struct RawPicture {
  PixelLayout layout = PixelLayout::kRgb;
  int width = 0;
  int height = 0;
  bool limited_range = false;  ///< Y in 16..235, Cb and Cr in 16..240; JPEG has 0..255
  std::array<PictureComponent, 3> components;
};

/// A JPEG in memory of the encoder's.
class Jpeg {
 public:
  Jpeg() = default;
  Jpeg(unsigned char* data, std::size_t size) : data_(data), size_(size) {}

  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(data_.get(), size_)); }

 private:
  struct Free {
    void operator()(unsigned char* data) const;
  };
  std::unique_ptr<unsigned char, Free> data_;
  std::size_t size_ = 0;
};

/// Encodes a picture. Planes are taken as they are, without a way over RGB.
/// @param quality  1..100
/// @throws Failure with the encoder's words as its detail, and no message
Jpeg encode_jpeg(const RawPicture& picture, int quality);

}  // namespace gkv
