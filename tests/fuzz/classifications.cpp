// The JSON of ce_classifications, which nobody vouches for.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/failure.h"
#include "common/frame/classification_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto read = gkv::classifications_from_json({reinterpret_cast<const char*>(data), size});
    // What was read can be written, and is as many results when it is read again.
    if (gkv::classifications_from_json(gkv::classifications_to_json(read)).size() != read.size()) std::abort();
  } catch (const gkv::Failure&) {
    return 0;  // refused, as it should be
  }
  return 0;
}
