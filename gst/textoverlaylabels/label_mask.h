#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

namespace gkv {

/// How text is drawn: Hershey Plain, the first baseline at (10, 20) pixels at the default scale.
struct LabelStyle {
  double scale = 1.2;  ///< of the font's own size; at least kMinimumScale. The distance of the lines grows with it.
  int thickness = 2;   ///< of a stroke, pixels

  static constexpr double kMinimumScale = 0.3;

  bool operator==(const LabelStyle&) const = default;
};

/// Which part of each sample of a plane the text covers: 0 (none) to 255 (all of it).
struct Coverage {
  cv::Point origin;  ///< of `alpha` in the plane, samples
  cv::Mat alpha;     ///< CV_8UC1; empty where no text lies in the picture
};

/// Lines of text as pixels, kept from frame to frame and drawn anew only when something has changed.
class LabelMask {
 public:
  /// @param lines    text; bytes other than printable ASCII show as '?'
  /// @param picture  size in pixels; text beyond it is clipped
  /// @return whether the text was drawn anew
  bool update(const std::vector<std::string>& lines, const LabelStyle& style, cv::Size picture);

  /// For a plane as large as the picture.
  const Coverage& full() const { return full_; }

  /// For a plane of half the picture's width and height, rounded up: the mean of 2x2 pixels. At an odd edge only
  /// the pixels inside the picture count.
  const Coverage& half() const { return half_; }

 private:
  void draw();

  std::vector<std::string> lines_;
  LabelStyle style_;
  cv::Size picture_;
  Coverage full_;
  Coverage half_;
};

}  // namespace gkv
