#pragma once

#include <libsoup/soup.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

namespace gkv {

struct HttpRequest {
  std::string url;
  std::optional<std::string> json;    ///< body: the request is a POST; else it is a GET
  std::chrono::milliseconds timeout;  ///< for the whole exchange
};

struct HttpResponse {
  unsigned status = 0;
  std::string reason;  ///< the status in words
  std::string body;
};

/// Why there is no response.
struct HttpFailure {
  enum class Kind {
    kUnreachable,  ///< no connection, or it broke
    kTimeout,
    kTooLarge,  ///< more than kMaxResponseBytes
  };
  Kind kind = Kind::kUnreachable;
  std::string words;  ///< the library's
};

using HttpResult = std::variant<HttpResponse, HttpFailure>;

/// HTTP requests on the calling thread's default GMainContext; made, used and destroyed on that thread.
/// Connections are kept alive and used again. A request that finds its kept connection closed by the server is sent
/// once more on a new one, also a POST: to ask a model changes nothing.
class HttpClient {
 public:
  using Handler = std::function<void(HttpResult)>;

  static constexpr std::size_t kMaxResponseBytes = 4 << 20;

  /// @param connections  how many requests may be under way to one host
  explicit HttpClient(unsigned connections);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  /// Cancels what is under way; handlers are not called any more.
  ~HttpClient();

  /// @param handler  called once, later, from the main context; never when the client is being destroyed
  void send(HttpRequest request, Handler handler);

 private:
  class Exchange;
  struct SessionFree {
    void operator()(SoupSession* session) const { g_object_unref(session); }
  };

  static void on_unqueued(SoupSession*, SoupMessage* message, gpointer data);
  void finish(Exchange* exchange, HttpResult result);

  std::unique_ptr<SoupSession, SessionFree> session_;
  std::unordered_map<Exchange*, std::unique_ptr<Exchange>> under_way_;
  bool closing_ = false;
};

}  // namespace gkv
