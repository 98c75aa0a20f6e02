#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace gkv::kafka {

/// What librdkafka's statistics tell of a client's connections.
struct Statistics {
  std::chrono::microseconds round_trip{0};  ///< mean of the last second over the brokers that answered; 0: unknown
  std::uint64_t reconnects = 0;             ///< connections that were there again; attempts that failed do not count
};

/// Reads librdkafka's statistics (https://github.com/confluentinc/librdkafka/blob/master/STATISTICS.md), one after the
/// other, also those of a handle that takes another's place.
class StatisticsReader {
 public:
  /// @throws Failure for what is no such JSON; what was known stays
  void read(std::string_view json);

  Statistics known() const { return known_; }

 private:
  Statistics known_;
  std::map<std::string, std::int64_t> connects_;  ///< attempts of each broker when it was last seen connected
};

}  // namespace gkv::kafka
