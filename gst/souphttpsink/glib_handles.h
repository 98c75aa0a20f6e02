#pragma once

#include <gio/gio.h>

#include <cstddef>
#include <memory>
#include <string_view>

namespace gkv {

struct GObjectUnref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
struct BytesUnref {
  void operator()(GBytes* bytes) const { g_bytes_unref(bytes); }
};
struct GErrorFree {
  void operator()(GError* error) const { g_error_free(error); }
};
struct MainContextUnref {
  void operator()(GMainContext* context) const { g_main_context_unref(context); }
};
/// A source that is of no use to anybody once its owner is gone.
struct SourceDestroy {
  void operator()(GSource* source) const {
    g_source_destroy(source);
    g_source_unref(source);
  }
};

template <typename Object>
using GObjectPtr = std::unique_ptr<Object, GObjectUnref>;
using BytesPtr = std::unique_ptr<GBytes, BytesUnref>;
using GErrorPtr = std::unique_ptr<GError, GErrorFree>;
using MainContextPtr = std::unique_ptr<GMainContext, MainContextUnref>;
using SourcePtr = std::unique_ptr<GSource, SourceDestroy>;

/// A copy of the text.
inline BytesPtr make_bytes(std::string_view text) { return BytesPtr(g_bytes_new(text.data(), text.size())); }

inline std::string_view view(const BytesPtr& bytes) {
  gsize size = 0;
  const auto* data = static_cast<const char*>(g_bytes_get_data(bytes.get(), &size));
  return {data, size};
}

}  // namespace gkv
