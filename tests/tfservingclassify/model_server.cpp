#include "model_server.h"

#include <chrono>
#include <future>
#include <random>
#include <string_view>

namespace gkv::test {
namespace {

constexpr std::chrono::seconds kHang{20};

std::string picture_in(const std::string& body) {
  constexpr std::string_view kHead = R"({"instances":[{"image_bytes":{"b64":")";
  constexpr std::string_view kTail = R"("}}]})";
  if (!body.starts_with(kHead) || !body.ends_with(kTail)) return {};
  const std::string text = body.substr(kHead.size(), body.size() - kHead.size() - kTail.size());
  if (text.empty()) return {};
  gsize size = 0;
  guchar* bytes = g_base64_decode(text.c_str(), &size);
  std::string picture(reinterpret_cast<char*>(bytes), size);
  g_free(bytes);
  return picture;
}

}  // namespace

Reply prediction(int class_id, int outputs) {
  std::string body = R"({"predictions":[{"classes":)" + std::to_string(class_id) + R"(,"probabilities":[)";
  for (int i = 0; i < outputs; ++i) body += std::string(i ? "," : "") + (i == class_id ? "0.9" : "0.0");
  return {.body = body + "]}]}"};
}

ModelServer::ModelServer(Answer answer) : answer_(std::move(answer)) { start(); }

ModelServer::~ModelServer() { stop(); }

std::string ModelServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

void ModelServer::run(const EventLoop::Task& task) {
  std::promise<void> done;
  loop_.run([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

bool ModelServer::listen(unsigned port) {
  GError* error = nullptr;
  const bool listening = soup_server_listen_local(server_, port, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
  if (!listening) g_error_free(error);
  return listening;
}

void ModelServer::start() {
  run([this] {
    server_ = soup_server_new(nullptr, nullptr);
    soup_server_add_handler(server_, nullptr, on_request, this, nullptr);
    g_signal_connect(server_, "request-started", G_CALLBACK(on_connected), this);
    // Below the ports that the system gives to clients: nobody takes it while the server is stopped.
    std::minstd_rand random(std::random_device{}());
    if (port_ != 0 && listen(port_)) return;
    do port_ = 20000 + random() % 12000;
    while (!listen(port_));
  });
}

void ModelServer::stop() {
  run([this] {
    if (!server_) return;
    for (SoupServerMessage* message : held_) g_object_unref(message);
    held_.clear();
    soup_server_disconnect(server_);
    g_object_unref(server_);
    server_ = nullptr;
    sockets_.sweep();
  });
}

void ModelServer::release() {
  run([this] {
    for (SoupServerMessage* message : held_) {
      soup_server_message_unpause(message);
      g_object_unref(message);
    }
    held_.clear();
  });
}

std::vector<std::string> ModelServer::bodies() {
  const std::lock_guard lock(mutex_);
  return bodies_;
}

bool ModelServer::wait_for_requests(std::size_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kHang, [&] { return bodies_.size() >= count; });
}

void ModelServer::on_connected(SoupServer*, SoupServerMessage* message, gpointer data) {
  if (auto* socket = soup_server_message_get_socket(message)) static_cast<ModelServer*>(data)->sockets_.add(socket);
}

void ModelServer::on_request(SoupServer*, SoupServerMessage* message, const char* path, GHashTable*, gpointer data) {
  static_cast<ModelServer*>(data)->serve(message, path);
}

void ModelServer::serve(SoupServerMessage* message, const std::string& path) {
  const SoupMessageBody* request = soup_server_message_get_request_body(message);
  const std::string body(request->data ? request->data : "", static_cast<std::size_t>(request->length));
  const Reply reply = answer_(path, picture_in(body));
  soup_server_message_set_status(message, reply.status, nullptr);
  soup_server_message_set_response(message, reply.content_type.c_str(), SOUP_MEMORY_COPY, reply.body.data(),
                                   reply.body.size());
  if (reply.held) {
    held_.push_back(SOUP_SERVER_MESSAGE(g_object_ref(message)));
    soup_server_message_pause(message);
  }
  {
    const std::lock_guard lock(mutex_);
    bodies_.push_back(body);
  }
  changed_.notify_all();
}

}  // namespace gkv::test
