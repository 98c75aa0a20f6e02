#pragma once

#include <librdkafka/rdkafka.h>

#include <string>

#include "common/failure.h"

namespace gkv::kafka {

/// What the user set and errors name.
struct Peer {
  std::string bootstrap_servers;
  std::string topic;
  std::string sasl_mechanism;  ///< empty where nobody logs in
};

/// An error that librdkafka reported, in words for the user; the detail is librdkafka's name and words.
/// @param words  what librdkafka says of this occurrence; may be empty
Failure to_failure(rd_kafka_resp_err_t error, const std::string& words, const Peer& peer);

/// @return whether the error means that no broker answers, or too few, which may pass by itself
bool is_outage(rd_kafka_resp_err_t error);

/// @return the code that tells more than librdkafka's own: it calls a TLS handshake that fails a transport error, and
///         a connection that breaks during the login a refusal of the user
rd_kafka_resp_err_t refined(rd_kafka_resp_err_t error, const std::string& words);

/// @return whether the topic or its partition is not there: when it is there again, it may be another one
bool is_unknown(rd_kafka_resp_err_t error);

/// @return whether no waiting will mend the error: the user must change something
bool is_permanent(rd_kafka_resp_err_t error);

}  // namespace gkv::kafka
