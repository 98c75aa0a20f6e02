#include "topic_admin.h"

#include <array>
#include <charconv>
#include <string_view>

namespace gkv {
namespace {

constexpr int kAnswerTimeoutMs = 10'000;
constexpr std::string_view kLimitKey = "max.message.bytes";

using Options = std::unique_ptr<rd_kafka_AdminOptions_t, kafka::Destroy<rd_kafka_AdminOptions_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, kafka::Destroy<rd_kafka_event_destroy>>;
using Topic = std::unique_ptr<rd_kafka_NewTopic_t, kafka::Destroy<rd_kafka_NewTopic_destroy>>;
using Resource = std::unique_ptr<rd_kafka_ConfigResource_t, kafka::Destroy<rd_kafka_ConfigResource_destroy>>;

Options options(rd_kafka_t* handle, rd_kafka_admin_op_t operation, int timeout_ms) {
  Options options(rd_kafka_AdminOptions_new(handle, operation));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms, nullptr, 0);
  return options;
}

std::optional<std::size_t> limit_in(const rd_kafka_ConfigResource_t& resource) {
  std::size_t count = 0;
  const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(&resource, &count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entries[i]);
    if (!value || rd_kafka_ConfigEntry_name(entries[i]) != kLimitKey) continue;
    const std::string_view text = value;
    std::size_t limit = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), limit).ec == std::errc()) return limit;
  }
  return std::nullopt;
}

}  // namespace

rd_kafka_resp_err_t create_topic(rd_kafka_t* handle, const std::string& name, const NewTopic& topic,
                                 std::chrono::milliseconds timeout, std::string& words) {
  std::array<char, 512> text{};
  const Topic wanted(
      rd_kafka_NewTopic_new(name.c_str(), topic.partitions, topic.replication_factor, text.data(), text.size()));
  if (!wanted) {
    words = text.data();
    return RD_KAFKA_RESP_ERR__INVALID_ARG;
  }
  const kafka::Queue answers(rd_kafka_queue_new(handle));
  const auto timeout_ms = static_cast<int>(timeout.count());
  rd_kafka_NewTopic_t* topics = wanted.get();
  rd_kafka_CreateTopics(handle, &topics, 1, options(handle, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms).get(),
                        answers.get());
  const Event event(rd_kafka_queue_poll(answers.get(), timeout_ms));
  if (!event) return RD_KAFKA_RESP_ERR__TIMED_OUT;
  if (const auto error = rd_kafka_event_error(event.get())) {
    words = rd_kafka_event_error_string(event.get());
    return error;
  }
  std::size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  if (count != 1) return RD_KAFKA_RESP_ERR__FAIL;
  const auto error = rd_kafka_topic_result_error(results[0]);
  if (error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return RD_KAFKA_RESP_ERR_NO_ERROR;
  if (const char* said = rd_kafka_topic_result_error_string(results[0])) words = said;
  return error;
}

void TopicLimit::ask(rd_kafka_t* handle, const std::string& topic) {
  answers_.reset(rd_kafka_queue_new(handle));
  const Resource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  rd_kafka_ConfigResource_t* resources = resource.get();
  rd_kafka_DescribeConfigs(handle, &resources, 1,
                           options(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, kAnswerTimeoutMs).get(), answers_.get());
}

std::optional<std::size_t> TopicLimit::poll() {
  if (!answers_) return std::nullopt;
  const Event event(rd_kafka_queue_poll(answers_.get(), 0));
  if (!event) return std::nullopt;
  answers_.reset();
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  std::size_t count = 0;
  const rd_kafka_ConfigResource_t** resources =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  return count == 1 ? limit_in(*resources[0]) : std::nullopt;
}

}  // namespace gkv
