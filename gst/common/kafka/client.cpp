#include "common/kafka/client.h"

#include <regex.h>

#include <algorithm>
#include <array>
#include <memory>
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

constexpr milliseconds kShortestCheck(10);
constexpr const char* kSecurityHint = "security.protocol";
constexpr const char* kStatisticsInterval = "1000";
constexpr int kSyslogDebug = 7;

/// @return whether a broker does not let this client in
bool is_refusal(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__SSL || error == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
         error == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED;
}

rd_kafka_resp_err_t error_of(const rd_kafka_metadata_topic_t& topic, int partition) {
  if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR) return topic.err;
  if (topic.partition_cnt == 0) return RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
  for (int i = 0; i < topic.partition_cnt; ++i) {
    const bool matters = partition == RD_KAFKA_PARTITION_UA || partition == topic.partitions[i].id;
    if (matters && topic.partitions[i].leader < 0) return RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool is_expression(const std::string& topic) { return topic.starts_with('^'); }

void add(std::vector<TopicSize>& sizes, const rd_kafka_metadata_topic_t& topic) {
  const bool known =
      std::any_of(sizes.begin(), sizes.end(), [&](const TopicSize& size) { return size.topic == topic.topic; });
  if (!known) sizes.push_back({.topic = topic.topic, .partitions = topic.partition_cnt});
}

rd_kafka_resp_err_t look_for_topic(rd_kafka_t* handle, const std::string& name, int partition, milliseconds timeout,
                                   std::vector<TopicSize>& sizes) {
  const Topic topic(rd_kafka_topic_new(handle, name.c_str(), nullptr));
  if (!topic) return rd_kafka_last_error();
  const rd_kafka_metadata_t* answer = nullptr;
  const auto error = rd_kafka_metadata(handle, 0, topic.get(), &answer, static_cast<int>(timeout.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
  const Metadata metadata(answer);
  if (metadata->topic_cnt != 1) return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  const auto topic_error = error_of(metadata->topics[0], partition);
  if (topic_error == RD_KAFKA_RESP_ERR_NO_ERROR) add(sizes, metadata->topics[0]);
  return topic_error;
}

/// Topics that are not ready are left out.
rd_kafka_resp_err_t look_for_matches(rd_kafka_t* handle, const std::string& expression, milliseconds timeout,
                                     std::vector<TopicSize>& sizes) {
  regex_t compiled{};
  if (regcomp(&compiled, expression.c_str(), REG_EXTENDED | REG_NOSUB) != 0) return RD_KAFKA_RESP_ERR__INVALID_ARG;
  const std::unique_ptr<regex_t, decltype(&regfree)> freed(&compiled, regfree);
  const rd_kafka_metadata_t* answer = nullptr;
  const auto error = rd_kafka_metadata(handle, 1, nullptr, &answer, static_cast<int>(timeout.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
  const Metadata metadata(answer);
  const auto before = sizes.size();
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& topic = metadata->topics[i];
    const bool matches = regexec(&compiled, topic.topic, 0, nullptr, 0) == 0;
    if (matches && error_of(topic, RD_KAFKA_PARTITION_UA) == RD_KAFKA_RESP_ERR_NO_ERROR) add(sizes, topic);
  }
  return sizes.size() > before ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

std::string sasl_mechanism(const rd_kafka_conf_t* conf) {
  const bool logs_in = value_of(conf, "security.protocol").starts_with("sasl");
  return logs_in ? value_of(conf, "sasl.mechanisms") : std::string();
}

}  // namespace

Client::Client(rd_kafka_type_t type, Conf conf, std::string topic, Events events, void* opaque,
               std::shared_ptr<ClientHistory> history)
    : peer_{value_of(conf.get(), "bootstrap.servers"), std::move(topic), sasl_mechanism(conf.get())},
      events_(std::move(events)),
      opaque_(opaque),
      history_(std::move(history)) {
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  if (value_of(conf.get(), "statistics.interval.ms") == "0") {
    rd_kafka_conf_set(conf.get(), "statistics.interval.ms", kStatisticsInterval, nullptr, 0);
  }
  rd_kafka_conf_set_stats_cb(conf.get(), on_statistics);
  handle_ = make_handle(type, std::move(conf));
}

void* Client::opaque(rd_kafka_t* handle) { return static_cast<Client*>(rd_kafka_opaque(handle))->opaque_; }

rd_kafka_resp_err_t Client::look_for_topics(const std::vector<std::string>& topics, milliseconds timeout,
                                            std::vector<TopicSize>& found, int partition) {
  const auto deadline = steady_clock::now() + timeout;
  std::vector<TopicSize> sizes;
  for (const std::string& name : topics) {
    const auto left =
        std::max(std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()), kShortestCheck);
    const auto error = is_expression(name) ? look_for_matches(handle(), name, left, sizes)
                                           : look_for_topic(handle(), name, partition, left, sizes);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
  }
  found = std::move(sizes);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

Client::Readiness Client::wait_for_topics(const std::vector<std::string>& topics, milliseconds timeout,
                                          const std::atomic<bool>& stop, std::vector<TopicSize>& found, int partition) {
  const auto begin = steady_clock::now();
  milliseconds patience = kFirstCheck;
  bool warned = false;
  while (!stop) {
    const auto error = look_for_topics(topics, patience, found, partition);
    if (stop) return Readiness::kStopped;  // who stopped wants to hear no more
    patience = std::min(2 * patience, kLongestCheck);
    rd_kafka_poll(handle(), 0);  // serves on_error
    if (failed_) return Readiness::kFailed;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      // Whether messages go again after an outage is not known yet.
      if (!history_->was_connected.exchange(true)) saw_success();
      return Readiness::kReady;
    }
    const std::string words = is_outage(error) ? history_->last_words.snapshot() : std::string();
    if (is_permanent(error) || (timeout.count() > 0 && steady_clock::now() - begin >= timeout)) {
      fail(error, words);
      return Readiness::kFailed;
    }
    if (is_outage(error)) continue;
    // A broker answered, but the topic is not there yet, or not ready: it may be created in a moment.
    if (!warned && steady_clock::now() - begin >= kCreationTime) {
      warned = true;
      history_->outage = true;
      events_.warning(to_failure(error, "waiting for it", peer_));
    }
    rd_kafka_poll(handle(), static_cast<int>(kRetryPause.count()));
  }
  return Readiness::kStopped;
}

void Client::count(rd_kafka_resp_err_t error) { ++(*history_->error_counts.lock())[rd_kafka_err2name(error)]; }

std::map<std::string, std::uint64_t> Client::error_counts() { return history_->error_counts.snapshot(); }

Statistics Client::statistics() { return history_->statistics.lock()->known(); }

int Client::on_statistics(rd_kafka_t*, char* json, std::size_t size, void* opaque) {
  const auto* self = static_cast<Client*>(opaque);
  try {
    self->history_->statistics.lock()->read({json, size});
  } catch (const std::exception& exception) {
    if (self->events_.log) self->events_.log(kSyslogDebug, std::string("STATS: ") + exception.what());
  }
  return 0;  // librdkafka frees it
}

void Client::fail(rd_kafka_resp_err_t error, const std::string& words) { fail(to_failure(error, words, peer_)); }

void Client::fail(const Failure& failure) {
  if (!failed_.exchange(true)) events_.error(failure);
}

void Client::warn_of_outage(rd_kafka_resp_err_t error, const std::string& words) {
  if (!history_->outage.exchange(true)) events_.warning(to_failure(error, words, peer_));
}

void Client::saw_error(rd_kafka_resp_err_t error, const std::string& words) {
  count(error);
  if (events_.seen) events_.seen(error);
  // Before anything went, wrong certificates, users and ports are the user's; later, the broker's, who may mend them.
  const bool refused = is_refusal(error);
  if (refused ? !history_->was_connected : is_permanent(error)) {
    fail(error, words);
  } else if (refused || is_outage(error)) {
    warn_of_outage(error, words);
  } else {
    warn(error, words);
  }
}

void Client::saw_stall(std::chrono::seconds since) {
  warn_of_leader("Messages for the topic \"" + peer_.topic + "\" have been under way for " +
                 std::to_string(since.count()) + " s");
}

void Client::saw_silence() { warn_of_leader("Nothing is heard of the topic \"" + peer_.topic + "\""); }

void Client::warn_of_leader(const std::string& what) {
  if (history_->outage.exchange(true)) return;
  const std::string words = history_->last_words.snapshot();
  std::string text = what +
                     ": the Kafka broker that leads a partition or coordinates the consumer group does not answer; see "
                     "that it runs, and that this "
                     "machine reaches the address in its advertised.listeners.";
  if (!words.empty()) text += " The last connection error was: " + words + ".";
  events_.warning(Failure(text, words.empty() ? "no connection error" : words));
}

/// What may come with each message is said once a minute.
void Client::warn(rd_kafka_resp_err_t error, const std::string& words) {
  std::uint64_t count = 0;
  {
    auto complaints = history_->complaints.lock();
    Complaint& complaint = (*complaints)[error];
    if (!complaint.count_one()) return;
    count = complaint.count();
  }
  events_.warning(to_failure(error, words + " (" + std::to_string(count) + " so far)", peer_));
}

void Client::saw_success() {
  if (history_->outage && history_->outage.exchange(false)) {
    history_->last_words.lock()->clear();
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
    if (self->events_.fatal && !is_permanent(code)) {
      self->count(code);
      self->events_.fatal();
      return;
    }
  }
  code = refined(code, text);
  // One broker of several may be away without harm; librdkafka says _ALL_BROKERS_DOWN when none is left.
  if (code == RD_KAFKA_RESP_ERR__TRANSPORT) {
    self->count(code);
    // A host name may have several addresses; the one at which the broker closes the connection tells more.
    auto last_words = self->history_->last_words.lock();
    const bool tells_more = last_words->find(kSecurityHint) != std::string::npos;
    if (!tells_more || text.find(kSecurityHint) != std::string::npos) *last_words = text;
    return;
  }
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) text += ": " + self->history_->last_words.snapshot();
  self->saw_error(code, text);
}

void Client::on_log(const rd_kafka_t* handle, int severity, const char* facility, const char* text) {
  const auto* self = static_cast<const Client*>(rd_kafka_opaque(handle));
  if (self->events_.log) self->events_.log(severity, std::string(facility) + ": " + text);
}

}  // namespace gkv::kafka
