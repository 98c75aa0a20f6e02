#pragma once

#include <string>

namespace gkv::kafka {

/// @return what librdkafka has instead of a key of the Java client's, as the end of a sentence; empty: not known as one
std::string instead_of_java_key(const std::string& key);

}  // namespace gkv::kafka
