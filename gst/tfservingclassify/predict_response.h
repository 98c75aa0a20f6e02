#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gkv {

/// The class that a model chose.
struct Prediction {
  int class_id = -1;        ///< index among the model's outputs
  double confidence = 0;    ///< 0..1; 0 where the model gives no probabilities
  std::size_t outputs = 0;  ///< how many classes the model scores; 0: not told

  bool operator==(const Prediction&) const = default;
};

/// Reads the answer to predict_request(). Understood are, as `predictions[0]`: an object with `classes` and
/// `probabilities` (Estimator models), an object with one of them, a bare class number, a bare vector of scores (the
/// greatest wins). Scores that are no finite numbers are passed over.
/// @param body  untrusted
/// @throws Failure with the reason as detail
Prediction parse_prediction(std::string_view body);

/// What a server says of a request that it refused: the `error` (or `detail`) of its JSON, else its plain text, else
/// nothing: a page of HTML says no more than the status.
/// @param body  untrusted
/// @return UTF-8, at most some hundred bytes
std::string refusal_words(std::string_view body);

}  // namespace gkv
