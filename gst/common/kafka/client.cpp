#include "common/kafka/client.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gkv::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// rd_kafka_metadata cannot be cancelled: it is given little time at first, more where the network is slow.
constexpr milliseconds kFirstCheck(200);
constexpr milliseconds kLongestCheck(500);
constexpr milliseconds kRetryPause(100);
constexpr milliseconds kCreationTime(1000);  ///< a broker takes so long to create a topic that is asked for

rd_kafka_resp_err_t error_of(const rd_kafka_metadata_topic_t& topic) {
  if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR) return topic.err;
  if (topic.partition_cnt == 0) return RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
  for (int i = 0; i < topic.partition_cnt; ++i) {
    if (topic.partitions[i].leader < 0) return RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace

Client::Client(rd_kafka_type_t type, Conf conf, Peer peer, Events events, void* opaque)
    : peer_(std::move(peer)), events_(std::move(events)), opaque_(opaque) {
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  handle_ = make_handle(type, std::move(conf));
}

void* Client::opaque(rd_kafka_t* handle) { return static_cast<Client*>(rd_kafka_opaque(handle))->opaque_; }

Client::Check Client::check_topic(milliseconds timeout) {
  const Topic topic(rd_kafka_topic_new(handle(), peer_.topic.c_str(), nullptr));
  if (!topic) return {rd_kafka_last_error(), 0};
  const rd_kafka_metadata_t* answer = nullptr;
  const auto error = rd_kafka_metadata(handle(), 0, topic.get(), &answer, static_cast<int>(timeout.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return {error, 0};
  const Metadata metadata(answer);
  if (metadata->topic_cnt != 1) return {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, 0};
  return {error_of(metadata->topics[0]), metadata->topics[0].partition_cnt};
}

Client::Readiness Client::wait_for_topic(milliseconds timeout, const std::atomic<bool>& stop, int& partitions) {
  const auto begin = steady_clock::now();
  milliseconds patience = kFirstCheck;
  bool warned = false;
  while (!stop) {
    const Check check = check_topic(patience);
    patience = std::min(2 * patience, kLongestCheck);
    rd_kafka_poll(handle(), 0);  // serves on_error
    if (failed_) return Readiness::kFailed;
    if (check.error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      partitions = check.partitions;
      saw_success();
      return Readiness::kReady;
    }
    const std::string words = is_outage(check.error) ? last_words_.snapshot() : std::string();
    if (is_permanent(check.error) || (timeout.count() > 0 && steady_clock::now() - begin >= timeout)) {
      fail(check.error, words);
      return Readiness::kFailed;
    }
    if (is_outage(check.error)) continue;
    // A broker answered, but the topic is not there yet, or not ready: it may be created in a moment.
    if (!warned && steady_clock::now() - begin >= kCreationTime) {
      warned = true;
      outage_ = true;
      events_.warning(to_failure(check.error, "waiting for it", peer_));
    }
    rd_kafka_poll(handle(), static_cast<int>(kRetryPause.count()));
  }
  return Readiness::kStopped;
}

void Client::fail(rd_kafka_resp_err_t error, const std::string& words) {
  if (!failed_.exchange(true)) events_.error(to_failure(error, words, peer_));
}

void Client::warn_of_outage(rd_kafka_resp_err_t error, const std::string& words) {
  if (!outage_.exchange(true)) events_.warning(to_failure(error, words, peer_));
}

void Client::saw_error(rd_kafka_resp_err_t error, const std::string& words) {
  if (is_permanent(error)) {
    fail(error, words);
  } else if (is_outage(error) || error == RD_KAFKA_RESP_ERR__SSL) {
    warn_of_outage(error, words);
  } else {
    warn(error, words);
  }
}

/// What may come with each message is said once a minute.
void Client::warn(rd_kafka_resp_err_t error, const std::string& words) {
  std::uint64_t count = 0;
  {
    auto complaints = complaints_.lock();
    Complaint& complaint = (*complaints)[error];
    if (!complaint.count_one()) return;
    count = complaint.count();
  }
  events_.warning(to_failure(error, words + " (" + std::to_string(count) + " so far)", peer_));
}

void Client::saw_success() {
  if (outage_ && outage_.exchange(false)) {
    events_.info("Kafka at " + peer_.bootstrap_servers + " answers again for the topic \"" + peer_.topic + "\".");
  }
}

void Client::on_error(rd_kafka_t* handle, int error, const char* words, void* opaque) {
  auto* self = static_cast<Client*>(opaque);
  auto code = static_cast<rd_kafka_resp_err_t>(error);
  std::string text = words;
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    std::array<char, 512> reason{};
    code = rd_kafka_fatal_error(handle, reason.data(), reason.size());
    text = reason.data();
  }
  // One broker of several may be away without harm; librdkafka says _ALL_BROKERS_DOWN when none is left.
  if (code == RD_KAFKA_RESP_ERR__TRANSPORT) {
    *self->last_words_.lock() = text;
    return;
  }
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) text += ": " + self->last_words_.snapshot();
  self->saw_error(code, text);
}

void Client::on_log(const rd_kafka_t* handle, int severity, const char* facility, const char* text) {
  const auto* self = static_cast<const Client*>(rd_kafka_opaque(handle));
  if (self->events_.log) self->events_.log(severity, std::string(facility) + ": " + text);
}

}  // namespace gkv::kafka
