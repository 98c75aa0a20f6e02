#pragma once

#include <glib.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace gkv {

/// One thread with a GMainContext of its own, which is the thread's default.
class EventLoop {
 public:
  using Task = std::function<void()>;

  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  /// Runs the tasks that are queued, then ends the thread.
  ~EventLoop();

  /// Queues a task for the thread. From any thread.
  void run(Task task);

 private:
  struct ContextFree {
    void operator()(GMainContext* context) const { g_main_context_unref(context); }
  };

  void work();
  std::vector<Task> take_tasks();

  std::mutex mutex_;         ///< guards tasks_ and quit_
  std::vector<Task> tasks_;  ///< in order
  bool quit_ = false;
  std::unique_ptr<GMainContext, ContextFree> context_;
  std::thread thread_;
};

/// Calls back once, on the thread whose default GMainContext it was made in, unless it is destroyed before.
class Timer {
 public:
  Timer() = default;
  Timer(std::chrono::milliseconds delay, EventLoop::Task task);

  explicit operator bool() const { return source_ != nullptr; }

 private:
  struct SourceFree {
    void operator()(GSource* source) const;
  };
  std::unique_ptr<GSource, SourceFree> source_;
};

}  // namespace gkv
