#pragma once

#include <glib.h>
#include <gtest/gtest.h>

#include <atomic>

namespace gkv::test {

/// The test fails when a library logs a critical, which says that it was used wrongly, while this lives.
class RefusesCriticals {
 public:
  /// @param domain  the library's; outlives this
  explicit RefusesCriticals(const char* domain)
      : domain_(domain), handler_(g_log_set_handler(domain, G_LOG_LEVEL_CRITICAL, count, this)) {}
  RefusesCriticals(const RefusesCriticals&) = delete;
  RefusesCriticals& operator=(const RefusesCriticals&) = delete;
  ~RefusesCriticals() {
    g_log_remove_handler(domain_, handler_);
    EXPECT_EQ(criticals_, 0) << "criticals of " << domain_;
  }

 private:
  static void count(const gchar*, GLogLevelFlags, const gchar*, gpointer self) {
    ++static_cast<RefusesCriticals*>(self)->criticals_;
  }

  std::atomic<int> criticals_ = 0;
  const char* domain_;
  guint handler_;
};

}  // namespace gkv::test
