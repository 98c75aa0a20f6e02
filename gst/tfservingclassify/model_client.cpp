#include "model_client.h"

#include <utility>

#include "predict_request.h"
#include "predict_response.h"

namespace gkv {
namespace {

constexpr unsigned kOk = 200;
constexpr unsigned kBadRequest = 400;
constexpr unsigned kNotFound = 404;

using Clock = std::chrono::steady_clock;

/// "404 Not Found: Servable not found for request: Latest(m)"
std::string status_words(const HttpResponse& response) {
  std::string words = std::to_string(response.status) + " " + response.reason;
  const std::string said = refusal_words(response.body);
  return said.empty() ? words : words + ": " + said;
}

Refusal no_labels(const std::string& url, const std::string& detail) {
  return {Trouble::kLabels,
          Failure("Labels could not be fetched from " + url + "; check label-urls. The video goes on.", detail)};
}

Labels labels_in(const HttpResult& result) {
  if (const auto* failure = std::get_if<HttpFailure>(&result)) throw Failure({}, failure->words);
  const auto& response = std::get<HttpResponse>(result);
  if (response.status != kOk) throw Failure({}, status_words(response));
  return parse_labels(response.body);
}

}  // namespace

ModelClient::ModelClient(Model model, HttpClient& http, std::chrono::milliseconds timeout)
    : model_(std::move(model)), http_(http), timeout_(timeout) {}

void ModelClient::ask(std::shared_ptr<Picture> picture, Handler handler) {
  if (model_.labels_url.empty()) {
    post(picture, std::move(handler));
  } else {
    fetch_labels(std::move(picture), std::move(handler));
  }
}

void ModelClient::fetch_labels(std::shared_ptr<Picture> picture, Handler handler) {
  http_.send({.url = model_.labels_url, .json = std::nullopt, .timeout = timeout_},
             [this, picture = std::move(picture), handler = std::move(handler)](const HttpResult& result) {
               try {
                 model_.labels = labels_in(result);
               } catch (const Failure& failure) {
                 handler(no_labels(model_.labels_url, failure.detail()));
                 return;
               }
               model_.labels_url.clear();
               post(picture, handler);
             });
}

void ModelClient::post(const std::shared_ptr<Picture>& picture, Handler handler) {
  std::string body;
  try {
    body = predict_request(picture->jpeg());
  } catch (const Failure& failure) {
    handler(Refusal{Trouble::kPicture, failure});
    return;
  }
  http_.send({.url = model_.target.url, .json = std::move(body), .timeout = timeout_},
             [this, handler = std::move(handler), captured = picture->captured_ns(),
              asked = Clock::now()](HttpResult result) { handler(to_outcome(std::move(result), captured, asked)); });
}

Outcome ModelClient::to_outcome(HttpResult result, std::uint64_t captured_ns, Clock::time_point asked) const {
  if (const auto* failure = std::get_if<HttpFailure>(&result)) return no_response(*failure);
  const auto& response = std::get<HttpResponse>(result);
  if (response.status != kOk) return refused(response);
  try {
    const Prediction prediction = parse_prediction(response.body);
    const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - asked);
    return Classification{.model = model_.target.name,
                          .version = model_.target.version,
                          .label = label_of(prediction, model_.labels),
                          .class_id = prediction.class_id,
                          .confidence = prediction.confidence,
                          .captured_ns = captured_ns,
                          .took_ns = static_cast<std::uint64_t>(took.count())};
  } catch (const Failure& failure) {
    return Refusal{Trouble::kNonsense,
                   Failure("Model \"" + model_.target.name + "\" at " + model_.target.url +
                               " gave an answer that is no classification; model-urls must name a model that answers "
                               "with classes or scores. The video goes on.",
                           failure.detail())};
  }
}

Refusal ModelClient::no_response(const HttpFailure& failure) const {
  const std::string model = "Model \"" + model_.target.name + "\" at " + model_.target.url;
  switch (failure.kind) {
    case HttpFailure::Kind::kTimeout:
      return {Trouble::kTimeout, Failure(model + " did not answer within " + std::to_string(timeout_.count()) +
                                             " ms; check model-urls, or raise timeout. The video goes on.",
                                         failure.words)};
    case HttpFailure::Kind::kTooLarge:
      return {Trouble::kNonsense,
              Failure(model + " gave an answer of absurd size; check model-urls. The video goes on.", failure.words)};
    case HttpFailure::Kind::kUnreachable: break;
  }
  return {Trouble::kUnreachable,
          Failure(model + " cannot be reached; check model-urls and that the server runs. The video goes on.",
                  failure.words)};
}

Refusal ModelClient::refused(const HttpResponse& response) const {
  const std::string model = "Model \"" + model_.target.name + "\" at " + model_.target.url;
  const std::string words = status_words(response);
  if (response.status == kBadRequest || response.status == kNotFound) {
    return {Trouble::kRefused,
            Failure(model + " was refused (" + words +
                        "); model-urls must name a model that the server has and that takes a JPEG as image_bytes. "
                        "The video goes on.",
                    "HTTP status " + words)};
  }
  return {Trouble::kRefused, Failure(model + " gave an error; check model-urls and the server. The video goes on.",
                                     "HTTP status " + words)};
}

}  // namespace gkv
