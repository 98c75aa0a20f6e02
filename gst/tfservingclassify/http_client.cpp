#include "http_client.h"

#include <algorithm>
#include <utility>

#include "event_loop.h"

namespace gkv {
namespace {

/// TensorFlow Serving closes a connection that is idle for 50 s; ours is given up before.
constexpr guint kIdleSeconds = 40;
constexpr gsize kChunkBytes = 64 << 10;

struct ObjectFree {
  void operator()(gpointer object) const { g_object_unref(object); }
};
struct BytesFree {
  void operator()(GBytes* bytes) const { g_bytes_unref(bytes); }
};
using BytesPtr = std::unique_ptr<GBytes, BytesFree>;

/// Takes the text over; its bytes are not copied.
BytesPtr to_bytes(std::string text) {
  auto* owned = new std::string(std::move(text));
  const auto free_text = [](gpointer data) { delete static_cast<std::string*>(data); };
  return BytesPtr(g_bytes_new_with_free_func(owned->data(), owned->size(), free_text, owned));
}

std::string take_words(GError* error) {
  std::string words = error->message;
  g_error_free(error);
  return words;
}

}  // namespace

/// One request, with its repetition, from send() to its handler.
class HttpClient::Exchange {
 public:
  Exchange(HttpClient& client, HttpRequest request, Handler handler)
      : client_(client),
        url_(std::move(request.url)),
        body_(request.json ? to_bytes(std::move(*request.json)) : nullptr),
        handler_(std::move(handler)),
        cancellable_(g_cancellable_new()),
        timer_(request.timeout, [this] { time_out(); }) {}

  void start() {
    unqueued_ = false;
    message_.reset(soup_message_new(body_ ? SOUP_METHOD_POST : SOUP_METHOD_GET, url_.c_str()));
    if (!message_) {
      timer_ = Timer(std::chrono::milliseconds(0), [this] {
        client_.finish(this, HttpFailure{HttpFailure::Kind::kUnreachable, "\"" + url_ + "\" is no HTTP URL"});
      });
      return;
    }
    if (body_) soup_message_set_request_body_from_bytes(message_.get(), "application/json", body_.get());
    // libsoup gives a POST a kept connection only when it is called idempotent, and does not repeat it even then.
    const auto connection = repeated_ ? SOUP_MESSAGE_NEW_CONNECTION : SOUP_MESSAGE_IDEMPOTENT;
    soup_message_set_flags(message_.get(),
                           SoupMessageFlags(SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_COLLECT_METRICS | connection));
    soup_session_send_async(client_.session_.get(), message_.get(), G_PRIORITY_DEFAULT, cancellable_.get(), on_sent,
                            this);
  }

  void cancel() { g_cancellable_cancel(cancellable_.get()); }

  /// The session is done with the message, and the connection is free.
  void unqueued() {
    unqueued_ = true;
    if (complete_) client_.finish(this, to_response());
  }

  bool has(SoupMessage* message) const { return message_.get() == message; }

  Handler take_handler() { return std::move(handler_); }

 private:
  static void on_sent(GObject* session, GAsyncResult* result, gpointer data) {
    auto* self = static_cast<Exchange*>(data);
    GError* error = nullptr;
    self->stream_.reset(soup_session_send_finish(SOUP_SESSION(session), result, &error));
    if (self->stream_) {
      self->read();
    } else {
      self->failed(error);
    }
  }

  static void on_read(GObject* stream, GAsyncResult* result, gpointer data) {
    auto* self = static_cast<Exchange*>(data);
    GError* error = nullptr;
    const BytesPtr chunk(g_input_stream_read_bytes_finish(G_INPUT_STREAM(stream), result, &error));
    if (!chunk) {
      self->failed(error);
      return;
    }
    gsize size = 0;
    const auto* bytes = static_cast<const char*>(g_bytes_get_data(chunk.get(), &size));
    self->response_.append(bytes, size);
    if (size > 0 && self->response_.size() <= kMaxResponseBytes) {
      self->read();
    } else {
      self->complete();
    }
  }

  void read() {
    g_input_stream_read_bytes_async(stream_.get(), kChunkBytes, G_PRIORITY_DEFAULT, cancellable_.get(), on_read, this);
  }

  /// The handler is called when the connection is free again: it may send the next request.
  void complete() {
    if (response_.size() > kMaxResponseBytes) {
      cancel();
      client_.finish(this, HttpFailure{HttpFailure::Kind::kTooLarge,
                                       "the response has more than " + std::to_string(kMaxResponseBytes) + " bytes"});
      return;
    }
    complete_ = true;
    g_input_stream_close_async(stream_.get(), G_PRIORITY_DEFAULT, nullptr, nullptr, nullptr);
    if (unqueued_) client_.finish(this, to_response());
  }

  HttpResponse to_response() {
    const gchar* reason = soup_message_get_reason_phrase(message_.get());
    return {.status = soup_message_get_status(message_.get()),
            .reason = reason ? reason : "",
            .body = std::move(response_)};
  }

  void time_out() {
    if (complete_) {
      client_.finish(this, to_response());
      return;
    }
    timed_out_ = true;
    cancel();
  }

  void failed(GError* error) {
    if (timed_out_) {
      client_.finish(this, HttpFailure{HttpFailure::Kind::kTimeout, take_words(error)});
    } else if (!repeated_ && found_stale_connection()) {
      repeated_ = true;
      g_error_free(error);
      start();
    } else {
      client_.finish(this, HttpFailure{HttpFailure::Kind::kUnreachable, take_words(error)});
    }
  }

  /// @return whether a connection that had served before broke without a word of this response
  bool found_stale_connection() const {
    if (client_.closing_ || soup_message_get_status(message_.get()) != SOUP_STATUS_NONE) return false;
    SoupMessageMetrics* metrics = soup_message_get_metrics(message_.get());
    return metrics && soup_message_metrics_get_request_start(metrics) != 0 &&
           soup_message_metrics_get_connect_start(metrics) == 0;
  }

  HttpClient& client_;
  std::string url_;
  BytesPtr body_;
  Handler handler_;
  std::unique_ptr<GCancellable, ObjectFree> cancellable_;
  Timer timer_;
  bool timed_out_ = false;
  bool repeated_ = false;
  bool complete_ = false;  ///< the whole response is read
  bool unqueued_ = false;  ///< the session is done with the message
  std::unique_ptr<SoupMessage, ObjectFree> message_;
  std::unique_ptr<GInputStream, ObjectFree> stream_;
  std::string response_;
};

HttpClient::HttpClient(unsigned connections)
    : session_(soup_session_new_with_options("max-conns", std::max(connections, 10U), "max-conns-per-host", connections,
                                             "idle-timeout", kIdleSeconds, "timeout", 0U, nullptr)) {
  soup_session_remove_feature_by_type(session_.get(), SOUP_TYPE_CONTENT_DECODER);
  g_signal_connect(session_.get(), "request-unqueued", G_CALLBACK(on_unqueued), this);
}

HttpClient::~HttpClient() {
  closing_ = true;
  // A cancelled operation calls back from the main context, once, and refers to its exchange until then.
  for (const auto& [exchange, owned] : under_way_) exchange->cancel();
  GMainContext* context = g_main_context_get_thread_default();
  while (!under_way_.empty()) g_main_context_iteration(context, TRUE);
  soup_session_abort(session_.get());
  g_signal_handlers_disconnect_by_data(session_.get(), this);
  session_.reset();
  while (g_main_context_iteration(context, FALSE)) {
  }
}

void HttpClient::send(HttpRequest request, Handler handler) {
  if (closing_) return;
  auto exchange = std::make_unique<Exchange>(*this, std::move(request), std::move(handler));
  Exchange* started = exchange.get();
  under_way_.emplace(started, std::move(exchange));
  started->start();
}

void HttpClient::on_unqueued(SoupSession*, SoupMessage* message, gpointer data) {
  auto& under_way = static_cast<HttpClient*>(data)->under_way_;
  const auto found = std::find_if(under_way.begin(), under_way.end(),
                                  [message](const auto& entry) { return entry.first->has(message); });
  if (found != under_way.end()) found->first->unqueued();
}

void HttpClient::finish(Exchange* exchange, HttpResult result) {
  const auto found = under_way_.find(exchange);
  const std::unique_ptr<Exchange> finished = std::move(found->second);
  under_way_.erase(found);
  const Handler handler = finished->take_handler();
  if (!closing_) handler(std::move(result));
}

}  // namespace gkv
