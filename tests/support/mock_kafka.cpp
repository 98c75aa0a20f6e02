#include "mock_kafka.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace gkv::test {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

kafka::Handle make_client(rd_kafka_type_t type, const Settings& settings) {
  std::array<char, 512> words{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "log_level", "0", words.data(), words.size());
  for (const auto& [key, value] : settings)
    rd_kafka_conf_set(conf, key.c_str(), value.c_str(), words.data(), words.size());
  kafka::Handle handle(rd_kafka_new(type, conf, words.data(), words.size()));
  if (!handle) throw std::runtime_error(words.data());
  return handle;
}

TestMessage to_test_message(const rd_kafka_message_t& message) {
  TestMessage result{.key = std::string(static_cast<const char*>(message.key), message.key_len),
                     .value = std::string(static_cast<const char*>(message.payload), message.len),
                     .timestamp_ms = rd_kafka_message_timestamp(&message, nullptr),
                     .offset = message.offset};
  rd_kafka_headers_t* headers = nullptr;
  rd_kafka_message_headers(&message, &headers);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; headers && !rd_kafka_header_get_all(headers, i, &name, &value, &size); ++i) {
    result.headers.push_back({name, std::string(static_cast<const char*>(value), size)});
  }
  return result;
}

}  // namespace

std::optional<std::string> TestMessage::header(const std::string& name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const Header& h) { return h.name == name; });
  return found == headers.end() ? std::nullopt : std::optional(found->value);
}

MockKafka::MockKafka(const std::string& topic, int partitions)
    : topic_(topic),
      client_(make_client(RD_KAFKA_PRODUCER, {})),
      cluster_(rd_kafka_mock_cluster_new(client_.get(), 1)),
      producer_(make_client(
          RD_KAFKA_PRODUCER,
          {{"bootstrap.servers", bootstrap_servers()}, {"linger.ms", "0"}, {"message.max.bytes", "10000000"}})) {
  rd_kafka_mock_topic_create(cluster_.get(), topic.c_str(), partitions, 1);
}

std::int64_t MockKafka::write(const TestMessage& message, const std::string& topic, int partition) {
  produce(message, topic, partition);
  if (rd_kafka_flush(producer_.get(), 10'000) != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error("not delivered");
  std::int64_t low = 0;
  std::int64_t high = 0;
  rd_kafka_query_watermark_offsets(producer_.get(), topic.c_str(), partition, &low, &high, 10'000);
  return high - 1;
}

void MockKafka::produce(const TestMessage& message, const std::string& topic, int partition) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(message.headers.size());
  for (const Header& header : message.headers) {
    rd_kafka_header_add(headers, header.name.data(), static_cast<ssize_t>(header.name.size()), header.value.data(),
                        static_cast<ssize_t>(header.value.size()));
  }
  const std::size_t size = message.value ? message.value->size() : 0;
  void* value = message.value ? const_cast<char*>(message.value->data()) : nullptr;
  const auto error =
      rd_kafka_producev(producer_.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
                        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(value, size),
                        RD_KAFKA_V_KEY(message.key.empty() ? nullptr : message.key.data(), message.key.size()),
                        RD_KAFKA_V_TIMESTAMP(message.timestamp_ms), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(rd_kafka_err2str(error));
}

std::vector<TestMessage> MockKafka::read(std::size_t count, int partition) {
  const kafka::Handle consumer =
      make_client(RD_KAFKA_CONSUMER,
                  {{"bootstrap.servers", bootstrap_servers()}, {"group.id", "test"}, {"fetch.wait.max.ms", "10"}});
  const kafka::Partitions partitions(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(partitions.get(), topic_.c_str(), partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(consumer.get(), partitions.get());
  std::vector<TestMessage> messages;
  while (messages.size() < count) {
    const kafka::Message message(rd_kafka_consumer_poll(consumer.get(), 10'000));
    if (!message) throw std::runtime_error("only " + std::to_string(messages.size()) + " messages came");
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) messages.push_back(to_test_message(*message));
  }
  return messages;
}

}  // namespace gkv::test
