#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

namespace gkv {

/// A value that can only be reached with its lock held.
///
///   auto settings = settings_.lock();   // unlocks at the end of the scope
///   settings->topic = "videocam";
template <typename T>
class Guarded {
 public:
  class Access {
   public:
    T* operator->() const { return &value_; }
    T& operator*() const { return value_; }

    /// Gives the lock up until `condition` is notified and `done()` holds.
    template <typename Done>
    void wait(std::condition_variable& condition, Done done) {
      condition.wait(lock_, done);
    }

    /// The same, until `deadline` at the latest. @return done()
    template <typename Time, typename Done>
    bool wait_until(std::condition_variable& condition, const Time& deadline, Done done) {
      return condition.wait_until(lock_, deadline, done);
    }

   private:
    friend class Guarded;
    Access(std::mutex& mutex, T& value) : lock_(mutex), value_(value) {}

    std::unique_lock<std::mutex> lock_;
    T& value_;
  };

  [[nodiscard]] Access lock() { return Access(mutex_, value_); }

  /// A copy, for work that must not hold the lock.
  [[nodiscard]] T snapshot() { return *lock(); }

 private:
  std::mutex mutex_;
  T value_{};
};

}  // namespace gkv
