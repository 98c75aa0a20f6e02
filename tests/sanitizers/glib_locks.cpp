// GLib's GMutex and GCond, told of to the thread sanitizer: they wait in the kernel by themselves, which it does not
// see, and what GStreamer hands from one thread to another under them would look like a race. What GLib does inside of
// itself does not come here.
#include <dlfcn.h>
#include <glib.h>

// GCC's sanitizer/tsan_interface.h, which clang-tidy does not find.
extern "C" {
void __tsan_acquire(void* address);  // NOLINT(readability-identifier-naming)
void __tsan_release(void* address);  // NOLINT(readability-identifier-naming)
}

namespace {

/// The function of this name that GLib has.
template <typename Function>
Function* next(Function*, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

#define REAL(function)                                      \
  ([] {                                                     \
    static auto* const real = next(&(function), #function); \
    return real;                                            \
  }())

#pragma GCC visibility push(default)
extern "C" {

void g_mutex_lock(GMutex* mutex) {
  REAL(g_mutex_lock)(mutex);
  __tsan_acquire(mutex);
}

gboolean g_mutex_trylock(GMutex* mutex) {
  const gboolean locked = REAL(g_mutex_trylock)(mutex);
  if (locked) __tsan_acquire(mutex);
  return locked;
}

void g_mutex_unlock(GMutex* mutex) {
  __tsan_release(mutex);
  REAL(g_mutex_unlock)(mutex);
}

void g_cond_wait(GCond* condition, GMutex* mutex) {
  __tsan_release(mutex);
  REAL(g_cond_wait)(condition, mutex);
  __tsan_acquire(mutex);
}

gboolean g_cond_wait_until(GCond* condition, GMutex* mutex, gint64 until) {
  __tsan_release(mutex);
  const gboolean signalled = REAL(g_cond_wait_until)(condition, mutex, until);
  __tsan_acquire(mutex);
  return signalled;
}

}  // extern "C"
#pragma GCC visibility pop
