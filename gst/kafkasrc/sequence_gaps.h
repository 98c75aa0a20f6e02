#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

namespace gkv {

/// Finds frames that did not come, from the numbers that the camera services gave them.
class SequenceGaps {
 public:
  /// @param stream  run id of the camera service; another one begins anew
  /// @param sequence  its frame count
  /// @return how many frames of the source are missing before this one
  std::uint64_t missing_before(const std::string& source, const std::string& stream, std::uint64_t sequence) {
    if (sources_.size() >= kMostSources && !sources_.contains(source)) sources_.clear();
    Source& known = sources_[source];
    const bool follows = known.stream == stream && sequence > known.next;
    const std::uint64_t missing = follows ? sequence - known.next : 0;
    if (known.stream != stream) known.stream = stream;
    known.next = sequence + 1;
    return missing;
  }

  /// What comes next follows on nothing, as after a seek.
  void forget() { sources_.clear(); }

 private:
  static constexpr std::size_t kMostSources = 10'000;

  struct Source {
    std::string stream;
    std::uint64_t next = 0;
  };
  std::map<std::string, Source> sources_;
};

}  // namespace gkv
