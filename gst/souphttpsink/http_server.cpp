#include "http_server.h"

#include <libsoup/soup.h>

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "alarm.h"
#include "audience.h"
#include "connections.h"
#include "listening_socket.h"
#include "responses.h"
#include "routes.h"
#include "sources.h"
#include "state_json.h"
#include "stream_format.h"

namespace gkv {
namespace {

/// How long viewers may still take what is being sent to them when the server stops.
constexpr guint kGraceMs = 500;

struct MainLoopUnref {
  void operator()(GMainLoop* loop) const { g_main_loop_unref(loop); }
};
using MainLoopPtr = std::unique_ptr<GMainLoop, MainLoopUnref>;

/// Makes a context the one to which this thread's libsoup objects attach their sources.
class ThreadDefault {
 public:
  explicit ThreadDefault(GMainContext* context) : context_(context) { g_main_context_push_thread_default(context_); }
  ~ThreadDefault() { g_main_context_pop_thread_default(context_); }
  ThreadDefault(const ThreadDefault&) = delete;
  ThreadDefault& operator=(const ThreadDefault&) = delete;

 private:
  GMainContext* context_;
};

}  // namespace

/// What runs: libsoup and all viewers on one thread. Members are that thread's, but for those marked.
class HttpServer::Service {
 public:
  explicit Service(const Config& config);
  ~Service();

  void publish(const std::string& source, FramePtr frame);
  void end_streams();
  std::size_t viewers() const { return viewers_; }
  int port() const { return port_; }
  std::string url() const { return base_url(address_, port_); }

 private:
  static void read_headers(SoupServer*, SoupServerMessage* message, const char* path, GHashTable*, gpointer self);
  static void read_request(SoupServer*, SoupServerMessage* message, const char* path, GHashTable*, gpointer self);
  static gboolean woken(gpointer self);
  static gboolean time_to_repeat(gpointer self);
  static gboolean grace_over(gpointer self);

  void run();
  void wake() { g_source_set_ready_time(wake_up_.get(), 0); }
  void offer_changed();
  void answer(SoupServerMessage* message, const Route& route);
  void answer_stream(SoupServerMessage* message, const std::string& source);
  void answer_snapshot(SoupServerMessage* message, const std::string& source);
  FramePtr find_frame(SoupServerMessage* message, std::string& source);
  void add_viewer(SoupServerMessage* message, const std::string& source, FramePtr newest);
  void remove_viewer(Viewer& viewer);
  void begin_stop();

  const std::string address_;
  const StreamFormat format_;
  MainContextPtr context_{g_main_context_new()};
  MainLoopPtr loop_{g_main_loop_new(context_.get(), FALSE)};
  GObjectPtr<SoupServer> server_;
  int port_ = 0;
  std::optional<Connections> connections_;
  Audience audience_;
  SourcePtr repeat_;
  SourcePtr grace_;

  Sources sources_;                      ///< any thread
  SourcePtr wake_up_;                    ///< any thread, by wake()
  std::atomic<std::size_t> viewers_{0};  ///< any thread: audience_.size()
  std::atomic<bool> ended_{false};       ///< any thread: streams are refused
  std::atomic<bool> end_asked_{false};   ///< any thread
  std::atomic<bool> stop_asked_{false};  ///< any thread
  std::thread thread_;
};

HttpServer::Service::Service(const Config& config) : address_(config.address), format_(config.boundary) {
  auto socket = open_listening_socket(config.address, config.port);
  port_ = listening_port(socket.get());
  {
    ThreadDefault context(context_.get());
    server_.reset(soup_server_new("raw-paths", TRUE, nullptr));
    soup_server_add_early_handler(server_.get(), nullptr, read_headers, this, nullptr);
    soup_server_add_handler(server_.get(), nullptr, read_request, this, nullptr);
    connections_.emplace(std::move(socket), server_.get(), context_.get(), config.request_timeout);
  }
  wake_up_ = make_alarm(context_.get(), woken, this);
  repeat_ = make_alarm(context_.get(), time_to_repeat, this);
  thread_ = std::thread([this] { run(); });
}

HttpServer::Service::~Service() {
  stop_asked_ = true;
  wake();
  thread_.join();
}

void HttpServer::Service::run() {
  ThreadDefault context(context_.get());
  g_main_loop_run(loop_.get());
  soup_server_disconnect(server_.get());
}

void HttpServer::Service::publish(const std::string& source, FramePtr frame) {
  sources_.publish(source, std::move(frame));
  ended_ = false;
  if (viewers_ > 0) wake();
}

void HttpServer::Service::end_streams() {
  ended_ = true;
  end_asked_ = true;
  wake();
}

gboolean HttpServer::Service::woken(gpointer self) {
  auto* service = static_cast<Service*>(self);
  service->offer_changed();
  if (service->end_asked_.exchange(false)) service->audience_.end();
  if (service->stop_asked_.exchange(false)) service->begin_stop();
  return G_SOURCE_CONTINUE;
}

void HttpServer::Service::offer_changed() {
  const auto changed = sources_.take_changed();
  if (changed.empty()) return;
  if (const auto first = sources_.first()) audience_.bind_unbound(*first);
  for (const auto& source : changed) {
    if (const auto frame = sources_.newest(source)) audience_.offer(source, frame);
  }
}

gboolean HttpServer::Service::time_to_repeat(gpointer self) {
  auto* service = static_cast<Service*>(self);
  if (const auto next = service->audience_.repeat(Delivery::Clock::now())) {
    g_source_set_ready_time(service->repeat_.get(), to_monotonic_us(*next));
  }
  return G_SOURCE_CONTINUE;
}

void HttpServer::Service::begin_stop() {
  ended_ = true;
  audience_.end();
  if (audience_.size() == 0) {
    g_main_loop_quit(loop_.get());
    return;
  }
  grace_.reset(g_timeout_source_new(kGraceMs));
  g_source_set_callback(grace_.get(), grace_over, this, nullptr);
  g_source_attach(grace_.get(), context_.get());
}

gboolean HttpServer::Service::grace_over(gpointer self) {
  g_main_loop_quit(static_cast<Service*>(self)->loop_.get());
  return G_SOURCE_REMOVE;
}

void HttpServer::Service::read_headers(SoupServer*, SoupServerMessage* message, const char* path, GHashTable*,
                                       gpointer self) {
  set_common_headers(message);
  refuse_unserved(message, find_route(path), static_cast<Service*>(self)->connections_->socket(message));
}

void HttpServer::Service::read_request(SoupServer*, SoupServerMessage* message, const char* path, GHashTable*,
                                       gpointer self) {
  if (const auto route = find_route(path)) static_cast<Service*>(self)->answer(message, *route);
}

void HttpServer::Service::answer(SoupServerMessage* message, const Route& route) {
  switch (route.endpoint) {
    case Endpoint::kStream: answer_stream(message, route.source); break;
    case Endpoint::kSnapshot: answer_snapshot(message, route.source); break;
    case Endpoint::kState: {
      const auto viewers_of = [this](const std::string& source) { return audience_.size(source); };
      respond_json(message, state_json(sources_.status(), viewers_of, audience_.size()));
      break;
    }
    default: respond_page(message, route.endpoint);
  }
}

/// @param source  empty: replaced by the first source, where there is one
/// @return null where a named source is not known (answered with 404) or there is none yet (not answered)
FramePtr HttpServer::Service::find_frame(SoupServerMessage* message, std::string& source) {
  const bool any = source.empty();
  if (any) source = sources_.first().value_or(std::string());
  auto frame = sources_.newest(source);
  if (!frame && !any) {
    respond_text(message, SOUP_STATUS_NOT_FOUND, "No frame of this source has come; /state lists the sources.");
  }
  return frame;
}

void HttpServer::Service::answer_stream(SoupServerMessage* message, const std::string& asked) {
  if (ended_) {
    respond_text(message, SOUP_STATUS_SERVICE_UNAVAILABLE, "The stream has ended.");
    return;
  }
  auto source = asked;
  auto newest = find_frame(message, source);
  if (!newest && !asked.empty()) return;
  if (soup_server_message_get_method(message) == SOUP_METHOD_HEAD) {
    Viewer::set_headers(message, format_);
  } else {
    add_viewer(message, source, std::move(newest));
  }
}

void HttpServer::Service::answer_snapshot(SoupServerMessage* message, const std::string& asked) {
  auto source = asked;
  if (const auto frame = find_frame(message, source)) {
    respond_snapshot(message, *frame);
  } else if (asked.empty()) {
    respond_text(message, SOUP_STATUS_SERVICE_UNAVAILABLE, "No frame has come yet.");
  }
}

void HttpServer::Service::add_viewer(SoupServerMessage* message, const std::string& source, FramePtr newest) {
  auto viewer = std::make_unique<Viewer>(message, connections_->socket(message), source, format_, context_.get(),
                                         [this](Viewer& gone) { remove_viewer(gone); });
  auto& added = *viewer;
  audience_.add(std::move(viewer));
  viewers_ = audience_.size();
  if (newest) added.offer(std::move(newest));
  if (audience_.size() == 1) time_to_repeat(this);
  // From here on publish() wakes this thread; what it published a moment ago, it did not say.
  wake();
}

void HttpServer::Service::remove_viewer(Viewer& viewer) {
  audience_.remove(viewer);
  viewers_ = audience_.size();
  if (grace_ && audience_.size() == 0) g_main_loop_quit(loop_.get());
}

HttpServer::HttpServer(const Config& config) : service_(std::make_unique<Service>(config)) {}
HttpServer::~HttpServer() = default;

int HttpServer::port() const { return service_->port(); }
std::string HttpServer::url() const { return service_->url(); }
std::size_t HttpServer::viewers() const { return service_->viewers(); }
void HttpServer::end_streams() { service_->end_streams(); }

void HttpServer::publish(const std::string& source, BytesPtr jpeg, std::optional<std::uint64_t> capture_time_ns) {
  service_->publish(source, make_frame(std::move(jpeg), capture_time_ns));
}

}  // namespace gkv
