#pragma once

#include <glib-object.h>

#include <string>

namespace gkv {

/// The text of a string property; empty where it is NULL.
inline std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text ? text : "";
}

}  // namespace gkv
