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

/// Settings of the user's, and where they were written, for errors.
struct Origin {
  std::string name;  ///< such as `the property config`
  Settings settings;
};

/// What a client needs of librdkafka's configuration.
struct Config {
  Settings defaults;         ///< the element's own; keys that an older librdkafka does not know are left out
  std::vector<Origin> user;  ///< win over the defaults; a key may be set by one of them only
};

/// @throws Failure that names origin and key: for a key that librdkafka does not know, with its own key for one of the
///         Java client's, for a value it refuses, and for a key that is set twice
Conf make_conf(const Config& config);

/// Makes a client. Takes `conf` over.
/// @param type  producer or consumer
/// @throws Failure with librdkafka's words, e.g. for contradictory keys or a CA file that is missing
Handle make_handle(rd_kafka_type_t type, Conf conf);

/// @return the value of a key; empty where it has none
std::string value_of(const rd_kafka_conf_t* conf, const char* key);

/// @return whether any text is a value of this key, such as client.id or sasl.password; false for a key that is unknown
bool holds_text(const std::string& key);

/// Reads `key=value` lines, as `kcat -F` does: empty lines and those that begin with # are passed over.
/// @throws Failure that names file and line
Settings read_config_file(const std::string& path);

}  // namespace gkv::kafka
