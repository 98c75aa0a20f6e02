#include "jpeg_encoder.h"

#include <turbojpeg.h>

#include <algorithm>
#include <vector>

#include "common/failure.h"

namespace gkv {
namespace {

struct CompressorFree {
  void operator()(void* handle) const { tjDestroy(handle); }
};

using Range = std::array<std::uint8_t, 256>;

/// Maps the samples from `low`..`high` to 0..255, about the centre for Cb and Cr.
Range expansion(int low, int high, int from, int to) {
  Range table{};
  for (int i = 0; i < 256; ++i) {
    const double value = from + (i - low) * double(to - from) / (high - low);
    table[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
  }
  return table;
}

constexpr int rounded_up(int size, int multiple) { return (size + multiple - 1) / multiple * multiple; }

/// A component as turbojpeg takes it: samples side by side, full range, and as wide and high as whole chroma samples
/// make it. Copied only where it is not so already.
class FlatComponent {
 public:
  /// @param multiple  what turbojpeg wants width and height to be multiples of: it reads so far
  FlatComponent(const PictureComponent& source, int width, int height, int multiple, const Range* expand) {
    const int padded_width = rounded_up(width, multiple);
    const int padded_height = rounded_up(height, multiple);
    if (source.step == 1 && !expand && padded_width == width && padded_height == height) {
      data_ = source.data;
      stride_ = source.stride;
      return;
    }
    copy_.reserve(std::size_t(padded_width) * std::size_t(padded_height));
    for (int y = 0; y < padded_height; ++y) {
      const std::uint8_t* row = source.data + std::ptrdiff_t(std::min(y, height - 1)) * source.stride;
      for (int x = 0; x < padded_width; ++x) {
        const std::uint8_t sample = row[std::ptrdiff_t(std::min(x, width - 1)) * source.step];
        copy_.push_back(expand ? (*expand)[sample] : sample);
      }
    }
    data_ = copy_.data();
    stride_ = padded_width;
  }

  const std::uint8_t* data() const { return data_; }
  int stride() const { return stride_; }

 private:
  std::vector<std::uint8_t> copy_;
  const std::uint8_t* data_;
  int stride_;
};

int packed_format(PixelLayout layout) {
  switch (layout) {
    case PixelLayout::kRgb: return TJPF_RGB;
    case PixelLayout::kBgr: return TJPF_BGR;
    case PixelLayout::kRgbx: return TJPF_RGBX;
    case PixelLayout::kBgrx: return TJPF_BGRX;
    case PixelLayout::kXrgb: return TJPF_XRGB;
    case PixelLayout::kXbgr: return TJPF_XBGR;
    default: return TJPF_UNKNOWN;
  }
}

int encode_planes(tjhandle encoder, const RawPicture& picture, int quality, unsigned char** jpeg, unsigned long* size) {
  static const Range kLuma = expansion(16, 235, 0, 255);
  static const Range kChroma = expansion(16, 240, 1, 255);
  const bool gray = picture.layout == PixelLayout::kGray;
  const int sampling = gray ? TJSAMP_GRAY : TJSAMP_420;
  std::vector<FlatComponent> planes;
  for (int i = 0; i < (gray ? 1 : 3); ++i) {
    const Range* expand = picture.limited_range ? (i == 0 ? &kLuma : &kChroma) : nullptr;
    const bool chroma = i > 0;
    planes.emplace_back(picture.components[std::size_t(i)], chroma ? (picture.width + 1) / 2 : picture.width,
                        chroma ? (picture.height + 1) / 2 : picture.height, chroma || gray ? 1 : 2, expand);
  }
  std::array<const unsigned char*, 3> data{};
  std::array<int, 3> strides{};
  for (std::size_t i = 0; i < planes.size(); ++i) {
    data[i] = planes[i].data();
    strides[i] = planes[i].stride();
  }
  return tjCompressFromYUVPlanes(encoder, data.data(), picture.width, strides.data(), picture.height, sampling, jpeg,
                                 size, quality, 0);
}

}  // namespace

void Jpeg::Free::operator()(unsigned char* data) const { tjFree(data); }

Jpeg encode_jpeg(const RawPicture& picture, int quality) {
  const std::unique_ptr<void, CompressorFree> encoder(tjInitCompress());
  if (!encoder) throw Failure({}, tjGetErrorStr2(nullptr));
  unsigned char* jpeg = nullptr;
  unsigned long size = 0;
  const int format = packed_format(picture.layout);
  const int status = format == TJPF_UNKNOWN ? encode_planes(encoder.get(), picture, quality, &jpeg, &size)
                                            : tjCompress2(encoder.get(), picture.components[0].data, picture.width,
                                                          picture.components[0].stride, picture.height, format, &jpeg,
                                                          &size, TJSAMP_420, quality, 0);
  Jpeg result(jpeg, size);
  if (status != 0) throw Failure({}, tjGetErrorStr2(encoder.get()));
  return result;
}

}  // namespace gkv
