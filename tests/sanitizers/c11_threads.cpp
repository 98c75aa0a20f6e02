// C11's threads and locks by those of POSIX, which the thread sanitizer sees: librdkafka uses the former, the
// sanitizer knows the latter alone. Without this it would know neither librdkafka's threads, in which our callbacks
// run, nor that its queues order what we hand over and get back. Linked into test programs of the thread sanitizer's
// build; a program's symbols come before those of the C library.
#include <pthread.h>
#include <threads.h>

#include <cerrno>
#include <cstdint>
#include <memory>

// The C library itself puts the one upon the other.
static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && alignof(mtx_t) <= alignof(pthread_mutex_t));
static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t) && alignof(cnd_t) <= alignof(pthread_cond_t));

namespace {

struct Start {
  thrd_start_t function;
  void* argument;
};

void* run(void* data) {
  const std::unique_ptr<Start> start(static_cast<Start*>(data));
  return reinterpret_cast<void*>(static_cast<std::intptr_t>(start->function(start->argument)));
}

int to_thrd(int error) {
  switch (error) {
    case 0: return thrd_success;
    case EBUSY: return thrd_busy;
    case ENOMEM: return thrd_nomem;
    case ETIMEDOUT: return thrd_timedout;
    default: return thrd_error;
  }
}

pthread_mutex_t* posix(mtx_t* mutex) { return reinterpret_cast<pthread_mutex_t*>(mutex); }
pthread_cond_t* posix(cnd_t* condition) { return reinterpret_cast<pthread_cond_t*>(condition); }

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  auto start = std::make_unique<Start>(Start{function, argument});
  const int error = pthread_create(thread, nullptr, run, start.get());
  if (error == 0) static_cast<void>(start.release());
  return to_thrd(error);
}

int thrd_join(thrd_t thread, int* result) {
  void* value = nullptr;
  const int error = pthread_join(thread, &value);
  if (result) *result = static_cast<int>(reinterpret_cast<std::intptr_t>(value));
  return to_thrd(error);
}

int mtx_init(mtx_t* mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if ((type & mtx_recursive) != 0) pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  const int error = pthread_mutex_init(posix(mutex), &attributes);
  pthread_mutexattr_destroy(&attributes);
  return to_thrd(error);
}

void mtx_destroy(mtx_t* mutex) { pthread_mutex_destroy(posix(mutex)); }
int mtx_lock(mtx_t* mutex) { return to_thrd(pthread_mutex_lock(posix(mutex))); }
int mtx_trylock(mtx_t* mutex) { return to_thrd(pthread_mutex_trylock(posix(mutex))); }
int mtx_unlock(mtx_t* mutex) { return to_thrd(pthread_mutex_unlock(posix(mutex))); }

int cnd_init(cnd_t* condition) { return to_thrd(pthread_cond_init(posix(condition), nullptr)); }
void cnd_destroy(cnd_t* condition) { pthread_cond_destroy(posix(condition)); }
int cnd_signal(cnd_t* condition) { return to_thrd(pthread_cond_signal(posix(condition))); }
int cnd_broadcast(cnd_t* condition) { return to_thrd(pthread_cond_broadcast(posix(condition))); }
int cnd_wait(cnd_t* condition, mtx_t* mutex) { return to_thrd(pthread_cond_wait(posix(condition), posix(mutex))); }
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
  return to_thrd(pthread_cond_timedwait(posix(condition), posix(mutex), until));
}

}  // extern "C"
#pragma GCC visibility pop
