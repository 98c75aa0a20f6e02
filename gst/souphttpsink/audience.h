#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "viewer.h"

namespace gkv {

/// The viewers of all sources. Lives on the server's thread.
class Audience {
 public:
  void add(std::unique_ptr<Viewer> viewer);
  void remove(Viewer& viewer);

  /// Gives the viewers of a source a new frame of it.
  void offer(const std::string& source, const FramePtr& frame);

  /// Gives those a source who asked for any before there was one.
  void bind_unbound(const std::string& source);

  /// Repeats frames that are due. @return when to call again; nullopt without viewers
  std::optional<Delivery::Clock::time_point> repeat(Delivery::Clock::time_point now);

  /// Ends all streams, each behind the picture being sent.
  void end();

  std::size_t size() const { return size_; }
  std::size_t size(const std::string& source) const;

 private:
  std::map<std::string, std::vector<std::unique_ptr<Viewer>>> of_source_;
  std::size_t size_ = 0;
};

}  // namespace gkv
