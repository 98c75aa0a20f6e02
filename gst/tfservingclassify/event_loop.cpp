#include "event_loop.h"

#include <utility>

namespace gkv {

EventLoop::EventLoop() : context_(g_main_context_new()), thread_([this] { work(); }) {}

EventLoop::~EventLoop() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  g_main_context_wakeup(context_.get());
  thread_.join();
}

void EventLoop::run(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  g_main_context_wakeup(context_.get());
}

std::vector<EventLoop::Task> EventLoop::take_tasks() {
  const std::lock_guard lock(mutex_);
  return std::exchange(tasks_, {});
}

void EventLoop::work() {
  g_main_context_push_thread_default(context_.get());
  for (;;) {
    for (Task& task : take_tasks()) task();
    {
      const std::lock_guard lock(mutex_);
      if (!tasks_.empty()) continue;
      if (quit_) break;
    }
    // Returns at a wake-up, too, also one that came before it.
    g_main_context_iteration(context_.get(), TRUE);
  }
  g_main_context_pop_thread_default(context_.get());
}

Timer::Timer(std::chrono::milliseconds delay, EventLoop::Task task)
    : source_(g_timeout_source_new(static_cast<guint>(delay.count()))) {
  const auto fire = [](gpointer data) -> gboolean {
    (*static_cast<EventLoop::Task*>(data))();
    return G_SOURCE_REMOVE;
  };
  const auto free_task = [](gpointer data) { delete static_cast<EventLoop::Task*>(data); };
  g_source_set_callback(source_.get(), fire, new EventLoop::Task(std::move(task)), free_task);
  g_source_attach(source_.get(), g_main_context_get_thread_default());
}

void Timer::SourceFree::operator()(GSource* source) const {
  g_source_destroy(source);
  g_source_unref(source);
}

}  // namespace gkv
