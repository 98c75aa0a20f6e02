#include "label_lines.h"

namespace gkv {

std::vector<std::string> label_lines(const std::vector<Classification>& results) {
  std::vector<std::string> lines;
  lines.reserve(results.size());
  for (const Classification& result : results) lines.push_back(result.model + " : " + result.label.value_or("Nothing"));
  return lines;
}

}  // namespace gkv
