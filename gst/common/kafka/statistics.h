#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace gkv::kafka {

/// What librdkafka's statistics tell of a client's connections.
struct Statistics {
  std::chrono::microseconds round_trip{0};  ///< mean of the last second over the brokers that answered; 0: unknown
  std::uint64_t reconnects = 0;             ///< connections made after the first one of each broker
};

/// Reads librdkafka's statistics (https://github.com/confluentinc/librdkafka/blob/master/STATISTICS.md).
/// @throws Failure for what is no such JSON
Statistics to_statistics(std::string_view json);

}  // namespace gkv::kafka
