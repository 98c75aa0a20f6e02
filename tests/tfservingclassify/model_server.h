#pragma once

#include <libsoup/soup.h>

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "accepted_sockets.h"
#include "event_loop.h"

namespace gkv::test {

/// What a test's model server answers.
struct Reply {
  unsigned status = 200;
  std::string body;
  std::string content_type = "application/json";
  bool held = false;  ///< not before release()
};

/// `{"predictions":[{"classes":CLASS,"probabilities":[0.9 at CLASS, else 0]}]}`
Reply prediction(int class_id, int outputs);

/// An HTTP server on loopback with a thread of its own, which stands in for TensorFlow Serving.
class ModelServer {
 public:
  /// @param picture  the decoded `b64` of the request; empty where the request has none
  using Answer = std::function<Reply(const std::string& path, const std::string& picture)>;

  explicit ModelServer(Answer answer);
  ~ModelServer();

  /// @return http://127.0.0.1:PORT and the path
  std::string url(const std::string& path) const;
  /// @return the URL at which a model is asked
  std::string predict_url(const std::string& model) const { return url("/v1/models/" + model + ":predict"); }

  void stop();   ///< closes the port and all connections
  void start();  ///< serves on the same port again
  void release();

  std::vector<std::string> bodies();
  /// Waits until so many requests have come in all. @return false when they do not come
  bool wait_for_requests(std::size_t count);

 private:
  static void on_connected(SoupServer*, SoupServerMessage* message, gpointer data);
  static void on_request(SoupServer*, SoupServerMessage* message, const char* path, GHashTable*, gpointer data);
  void serve(SoupServerMessage* message, const std::string& path);
  void run(const EventLoop::Task& task);  ///< on the server's thread, and waits for it
  bool listen(unsigned port);

  Answer answer_;
  unsigned port_ = 0;
  SoupServer* server_ = nullptr;          ///< server's thread only
  std::vector<SoupServerMessage*> held_;  ///< server's thread only
  AcceptedSockets sockets_;               ///< server's thread only
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> bodies_;
  EventLoop loop_;
};

}  // namespace gkv::test
