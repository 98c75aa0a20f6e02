#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "common/failure.h"
#include "common/frame/frame.h"
#include "http_client.h"
#include "labels.h"
#include "model_urls.h"
#include "outage.h"
#include "picture.h"

namespace gkv {

/// A model, and how its classes are called.
struct Model {
  ModelTarget target;
  Labels labels;
  std::string labels_url;  ///< where labels are still to be fetched from; empty: `labels` are all there are
};

/// Why a model gave no result, in words for the user.
struct Refusal {
  Trouble trouble;
  Failure failure;
};

using Outcome = std::variant<Classification, Refusal>;

/// Asks one model, one picture at a time. Lives on the thread of its HttpClient.
class ModelClient {
 public:
  using Handler = std::function<void(Outcome)>;

  /// @param http  borrowed; outlives this, or ends its requests before this ends
  ModelClient(Model model, HttpClient& http, std::chrono::milliseconds timeout);

  /// @param handler  called once; before ask() returns where the picture cannot be encoded
  void ask(std::shared_ptr<Picture> picture, Handler handler);

  const ModelTarget& target() const { return model_.target; }

 private:
  void fetch_labels(std::shared_ptr<Picture> picture, Handler handler);
  void post(const std::shared_ptr<Picture>& picture, Handler handler);
  Outcome to_outcome(HttpResult result, std::uint64_t captured_ns, std::chrono::steady_clock::time_point asked) const;
  Refusal no_response(const HttpFailure& failure) const;
  Refusal refused(const HttpResponse& response) const;

  Model model_;
  HttpClient& http_;
  std::chrono::milliseconds timeout_;
};

}  // namespace gkv
