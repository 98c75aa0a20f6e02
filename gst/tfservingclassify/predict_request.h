#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace gkv {

/// The body of TensorFlow Serving's predict request for one encoded picture, in row form:
/// `{"instances":[{"image_bytes":{"b64":"..."}}]}`. The picture's bytes are read once, and encoded straight into place.
std::string predict_request(std::span<const std::byte> picture);

}  // namespace gkv
