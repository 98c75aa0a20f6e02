#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/frame/frame.h"
#include "common/kafka/handles.h"

namespace gkv::test {

/// A message as a test writes or reads it. No value: a tombstone.
struct TestMessage {
  std::string key;
  std::optional<std::string> value;
  std::vector<Header> headers;
  std::int64_t timestamp_ms = 0;
  std::int64_t offset = 0;

  /// @return the header's value, or nullopt
  std::optional<std::string> header(const std::string& name) const;
};

/// librdkafka's mock cluster with one broker in this process, and a plain client to write to it and read from it.
/// It is a fixture, not a broker: a waiting fetch does not wake on new data, so consumers under test need a short
/// fetch.wait.max.ms.
class MockKafka {
 public:
  explicit MockKafka(const std::string& topic, int partitions = 1);

  std::string bootstrap_servers() const { return rd_kafka_mock_cluster_bootstraps(cluster_.get()); }
  rd_kafka_mock_cluster_t* cluster() const { return cluster_.get(); }

  void set_down() { rd_kafka_mock_broker_set_down(cluster_.get(), 1); }
  void set_up() { rd_kafka_mock_broker_set_up(cluster_.get(), 1); }

  /// Writes to partition 0 and waits for the report. @return the offset
  std::int64_t write(const TestMessage& message) { return write(message, topic_); }
  std::int64_t write(const TestMessage& message, const std::string& topic, int partition = 0);
  /// Writes without waiting.
  void produce(const TestMessage& message, const std::string& topic, int partition = 0);
  /// Reads a partition from its beginning until there are `count` messages.
  std::vector<TestMessage> read(std::size_t count, int partition = 0);

 private:
  std::string topic_;
  kafka::Handle client_;
  std::unique_ptr<rd_kafka_mock_cluster_t, kafka::Destroy<rd_kafka_mock_cluster_destroy>> cluster_;
  kafka::Handle producer_;
};

}  // namespace gkv::test
