#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "sources.h"

namespace gkv {

/// What /state answers: `{"sources":[{"id":"camera-1","frames":42,"age_ms":17,"viewers":2}],"viewers":2}`.
/// @param viewers_of  viewers of a source by its id
/// @param viewers  of all sources, with those who wait for the first one
std::string state_json(const std::vector<SourceStatus>& sources,
                       const std::function<std::size_t(const std::string&)>& viewers_of, std::size_t viewers);

}  // namespace gkv
