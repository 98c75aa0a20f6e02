#pragma once

#include <string>
#include <vector>

#include "common/kafka/handles.h"

namespace gkv::kafka {

/// One librdkafka configuration key (https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md).
struct Setting {
  std::string key;
  std::string value;
};
using Settings = std::vector<Setting>;

/// What an element needs of librdkafka's configuration.
struct Config {
  std::string bootstrap_servers;  ///< `host:port` list with commas
  Settings defaults;              ///< the element's own; keys that an older librdkafka does not know are left out
  Settings user;                  ///< of the property `config`; wins over the defaults
};

/// @throws Failure that names the property and the key, for a key that librdkafka does not know or a value it refuses
Conf make_conf(const Config& config);

/// Makes a client. Takes `conf` over.
/// @param type  producer or consumer
/// @throws Failure with librdkafka's words, e.g. for contradictory keys or a CA file that is missing
Handle make_handle(rd_kafka_type_t type, Conf conf);

}  // namespace gkv::kafka
