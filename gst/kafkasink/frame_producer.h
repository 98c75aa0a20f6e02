#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "common/complaint.h"
#include "common/glue/guarded.h"
#include "common/kafka/client.h"
#include "delivery_latency.h"
#include "outgoing_queue.h"
#include "topic_admin.h"
#include "topic_readiness.h"

namespace gkv {

/// What happens when frames come faster than Kafka takes them, and when Kafka fails.
enum class Delivery {
  kLive,      ///< the oldest waiting frame is dropped; nothing is sent twice
  kLossless,  ///< send() waits; what was not acknowledged is sent again
};

/// Frames between a streaming thread and librdkafka: a bounded queue, the oldest frame first. The payload travels by
/// reference; librdkafka's delivery report gives it back. The reports are polled on a thread of their own, which also
/// looks for the broker and the topic, so that no call here waits for the network but send() and drain().
///
/// The frames of a source arrive in their order in both modes: kLive does not try a second time, kLossless has an
/// idempotent producer, which is replaced by a new one when it fails for good.
class FrameProducer : public std::enable_shared_from_this<FrameProducer> {
 public:
  struct Settings {
    kafka::Config config;
    std::string topic;
    int partition = RD_KAFKA_PARTITION_UA;  ///< RD_KAFKA_PARTITION_UA: by key
    Delivery delivery = Delivery::kLive;
    OutgoingQueue::Limits queue;                ///< of what waits and what is under way together
    std::chrono::milliseconds max_age{0};       ///< kLive: an older frame is not sent; 0: no limit
    std::optional<NewTopic> create_topic;       ///< nullopt: the topic must be there
    std::chrono::milliseconds connect_timeout;  ///< 0: no limit
  };
  struct Counts {
    std::uint64_t accepted = 0, accepted_bytes = 0;
    std::uint64_t delivered = 0, delivered_bytes = 0;
    std::uint64_t dropped_queue_full = 0;
    std::uint64_t dropped_too_old = 0;
    std::uint64_t dropped_too_large = 0;
    std::uint64_t failed = 0;  ///< given up by librdkafka or refused by the broker
    std::uint64_t resent = 0;  ///< sent again by a new producer; may be in the topic twice
  };
  struct Statistics {
    Counts counts;
    std::size_t queue_frames = 0, queue_bytes = 0;
    DeliveryLatency::Figures latency;
    kafka::Statistics connection;
    std::map<std::string, std::uint64_t> errors;  ///< by librdkafka's name of it
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

  Statistics statistics();

 private:
  struct State {
    std::shared_ptr<kafka::Client> client;
    kafka::Topic topic;
    OutgoingQueue queue{{}};
    bool connected = false;  ///< frames may be handed over to the client
    bool flushing = false;
    bool failed = false;  ///< an error was reported: nothing will be sent any more
    std::size_t max_message_bytes = 0;
    const char* message_limit = "";  ///< what sets max_message_bytes
    std::size_t max_under_way = 0;
    bool compresses = false;
    bool stalled = false;  ///< told that a frame has been under way for too long
    std::optional<std::size_t> topic_limit;
    Counts counts;
    DeliveryLatency latency;
  };
  enum class Fit { kFits, kAboveProperty, kAboveTopic };

  FrameProducer(Settings settings, kafka::Events events);
  void make_client();
  kafka::Conf make_conf() const;
  kafka::Events client_events();
  Outcome outcome(const State& state) const;
  bool is_live() const { return settings_.delivery == Delivery::kLive; }

  void run();
  bool connect(bool replaces);
  void poll_until_broken();
  void look_after(kafka::Client& client);
  void give_up_handle();
  void pause_before_replacement();

  Fit fit(const State& state, const OutgoingFrame& frame) const;
  bool refuse_too_large(std::size_t bytes, Fit fit);
  void hand_over_waiting();
  rd_kafka_resp_err_t produce(State& state, OutgoingQueue::Entry& entry);
  void on_report(rd_kafka_t* handle, const rd_kafka_message_t& report);
  bool sends_again(rd_kafka_t* handle, rd_kafka_resp_err_t error) const;
  void tell(rd_kafka_resp_err_t error);

  const Settings settings_;
  const kafka::Events events_;
  const std::shared_ptr<kafka::ClientHistory> history_ = std::make_shared<kafka::ClientHistory>();
  Guarded<State> state_;
  std::condition_variable changed_;  ///< of state_
  std::atomic<bool> stop_{false};
  std::atomic<bool> broken_{false};          ///< the client failed for good
  bool topic_gone_ = false;                  ///< of the thread of reports: what is to be sent waits for the topic
  std::atomic<bool> giving_up_{false};       ///< reports are of frames that a purge brought back
  std::atomic<bool> limit_in_doubt_{false};  ///< a frame was dropped for the topic's limit, which may have been raised
  Guarded<Complaint> too_large_;
  std::thread reports_;

  // Of the thread of reports.
  TopicLimit limit_;
  std::chrono::steady_clock::time_point limit_asked_at_;
  std::optional<std::uint64_t> delivered_before_;  ///< when a client was last replaced
  std::uint64_t resent_before_ = 0;
  std::chrono::milliseconds pause_{0};  ///< before the next replacement
};

}  // namespace gkv
