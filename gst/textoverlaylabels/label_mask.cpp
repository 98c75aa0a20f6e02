#include "label_mask.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace gkv {
namespace {

constexpr int kFont = cv::FONT_HERSHEY_PLAIN;
constexpr int kLeft = 10;
constexpr double kLineDistance = 20 / 1.2;  ///< pixels, at scale 1

/// Y of a line's baseline, pixels. @param line  0 for the first
int baseline(int line, const LabelStyle& style) {
  return static_cast<int>(std::lround((line + 1) * kLineDistance * style.scale));
}

/// The smallest rectangle that holds all of the text, its corners even where the picture allows.
cv::Rect even_bounds(const cv::Mat& canvas) {
  const cv::Rect tight = cv::boundingRect(canvas);
  if (tight.empty()) return {};
  const cv::Point first(tight.x & ~1, tight.y & ~1);
  const cv::Point last((tight.br().x + 1) & ~1, (tight.br().y + 1) & ~1);
  return cv::Rect(first, last) & cv::Rect({}, canvas.size());
}

cv::Mat mean_of_2x2(const cv::Mat& alpha) {
  cv::Mat even;
  cv::copyMakeBorder(alpha, even, 0, alpha.rows & 1, 0, alpha.cols & 1, cv::BORDER_REPLICATE);
  cv::Mat half;
  cv::resize(even, half, even.size() / 2, 0, 0, cv::INTER_AREA);
  return half;
}

}  // namespace

bool LabelMask::update(const std::vector<std::string>& lines, const LabelStyle& style, cv::Size picture) {
  if (lines == lines_ && style == style_ && picture == picture_) return false;
  lines_ = lines;
  style_ = style;
  picture_ = picture;
  draw();
  return true;
}

void LabelMask::draw() {
  // One line more than there is text leaves room for what hangs below the last baseline.
  const int lines = static_cast<int>(lines_.size());
  const int height = std::min(picture_.height, baseline(lines, style_) + style_.thickness);
  cv::Mat canvas = cv::Mat::zeros(height, picture_.width, CV_8UC1);
  for (int i = 0; i < lines && baseline(i - 1, style_) - style_.thickness < height; ++i) {
    // No glyph is narrower than a pixel: what comes after as many characters as the picture has pixels is outside.
    const std::string visible = lines_[i].substr(0, static_cast<std::size_t>(picture_.width));
    const cv::Point origin(kLeft, baseline(i, style_));
    cv::putText(canvas, visible, origin, kFont, style_.scale, cv::Scalar(255), style_.thickness);
  }
  const cv::Rect bounds = even_bounds(canvas);
  full_ = {bounds.tl(), canvas(bounds).clone()};
  half_ = {bounds.tl() / 2, bounds.empty() ? cv::Mat() : mean_of_2x2(full_.alpha)};
}

}  // namespace gkv
