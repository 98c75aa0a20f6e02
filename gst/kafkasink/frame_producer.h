#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "common/frame/frame.h"
#include "common/glue/guarded.h"
#include "common/kafka/client.h"

namespace gkv {

/// One frame on its way to Kafka.
struct OutgoingFrame {
  std::span<const std::byte> payload;  ///< the message's value, not copied
  std::shared_ptr<const void> owner;   ///< keeps the payload until the broker has it, or it is given up
  std::string key;
  std::vector<Header> headers;
  std::int64_t timestamp_ms = 0;  ///< Unix ms
};

/// What happens when frames come faster than Kafka takes them.
enum class Delivery {
  kLive,      ///< the oldest waiting frame is dropped
  kLossless,  ///< send() waits
};

/// Frames between a streaming thread and librdkafka: a bounded queue, the oldest frame first. The payload travels by
/// reference; librdkafka's delivery report gives it back. The reports are polled on a thread of their own, which also
/// looks for the broker and the topic, so that no call here waits for the network but send() and drain().
class FrameProducer : public std::enable_shared_from_this<FrameProducer> {
 public:
  struct Settings {
    kafka::Config config;
    std::string topic;
    Delivery delivery = Delivery::kLive;
    std::size_t max_queue_frames = 1;           ///< waiting and under way together
    std::chrono::milliseconds connect_timeout;  ///< 0: no limit
  };
  struct Counts {
    std::uint64_t delivered = 0;
    std::uint64_t bytes = 0;    ///< of the payloads delivered
    std::uint64_t dropped = 0;  ///< never handed to librdkafka, for the queue was full
    std::uint64_t failed = 0;   ///< given up by librdkafka or refused by the broker
  };

  enum class Outcome { kDone, kFlushing, kFailed };

  /// Starts to look for the broker. To be ended with stop().
  /// @throws Failure for a configuration that librdkafka refuses
  static std::shared_ptr<FrameProducer> start(Settings settings, kafka::Events events);

  /// Gives up what is still held and lets the payloads go. Nothing may be called after it.
  void stop();

  /// Takes a frame over. Waits for room in Delivery::kLossless only.
  /// @return kDone, or why the frame is still the caller's
  Outcome send(OutgoingFrame& frame);

  /// Waits until the broker has each frame, or the time is over. Delivery::kLive does not wait for a broker that is
  /// known to be away.
  /// @param timeout  0: no limit
  /// @param held  out: how many frames are still held
  Outcome drain(std::chrono::milliseconds timeout, std::size_t& held);

  /// Wakes send() and drain() and keeps them from waiting.
  void set_flushing(bool flushing);

  Counts counts() { return queue_.lock()->counts; }

 private:
  struct Queue {
    std::deque<OutgoingFrame> waiting;
    std::size_t under_way = 0;  ///< frames that librdkafka holds
    bool connected = false;
    bool flushing = false;
    bool failed = false;  ///< an error was reported: nothing will be sent any more
    Counts counts;

    std::size_t held() const { return waiting.size() + under_way; }
  };

  FrameProducer(Settings settings, kafka::Events events);
  kafka::Conf make_conf() const;
  kafka::Events failing(kafka::Events events);
  Outcome outcome(const Queue& queue) const;
  void run();
  void hand_over_waiting();
  rd_kafka_resp_err_t produce(OutgoingFrame& frame);
  void on_report(const rd_kafka_message_t& report);

  const Settings settings_;
  const std::size_t max_under_way_;
  Guarded<Queue> queue_;
  std::condition_variable changed_;  ///< of queue_
  std::atomic<bool> stop_{false};
  kafka::Client client_;
  kafka::Topic topic_;
  std::thread reports_;
};

}  // namespace gkv
