#include "frame_producer.h"

#include <tuple>
#include <utility>

#include "common/failure.h"

namespace gkv {
namespace {

constexpr int kPurgeTimeoutMs = 1000;
constexpr int kNoLimitMs = -1;

kafka::Headers to_kafka(const std::vector<Header>& headers) {
  kafka::Headers list(rd_kafka_headers_new(headers.size()));
  for (const Header& header : headers) {
    rd_kafka_header_add(list.get(), header.name.data(), static_cast<ssize_t>(header.name.size()), header.value.data(),
                        static_cast<ssize_t>(header.value.size()));
  }
  return list;
}

/// Latency and order before throughput: a frame is sent as soon as it is there, alone in its batch. librdkafka copies
/// payloads up to message.copy.max.bytes and gives up what the broker did not take in message.timeout.ms.
kafka::Settings defaults(Delivery delivery) {
  const bool live = delivery == Delivery::kLive;
  return {
      {"linger.ms", "0"},
      {"batch.num.messages", "1"},
      {"message.copy.max.bytes", "1000"},
      {"message.max.bytes", "104857600"},
      {"queue.buffering.max.kbytes", "2097151"},  // the queue is bounded here
      {"acks", live ? "1" : "all"},
      {"enable.idempotence", live ? "false" : "true"},
      {"message.timeout.ms", live ? "3000" : "0"},
      {"socket.nagle.disable", "true"},
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "500"},
  };
}

}  // namespace

FrameProducer::FrameProducer(Settings settings, kafka::Events events)
    : settings_(std::move(settings)),
      max_under_way_((settings_.max_queue_frames + 1) / 2),
      client_(RD_KAFKA_PRODUCER, make_conf(), settings_.topic, failing(std::move(events)), this),
      topic_(rd_kafka_topic_new(client_.handle(), settings_.topic.c_str(), nullptr)) {
  if (!topic_) throw kafka::to_failure(RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, {}, client_.peer());
}

std::shared_ptr<FrameProducer> FrameProducer::start(Settings settings, kafka::Events events) {
  std::shared_ptr<FrameProducer> self(new FrameProducer(std::move(settings), std::move(events)));
  self->reports_ = std::thread([self] { self->run(); });
  return self;
}

void FrameProducer::stop() {
  std::deque<OutgoingFrame> given_up;
  bool connected = false;
  {
    auto queue = queue_.lock();
    stop_ = true;
    connected = queue->connected;
    given_up.swap(queue->waiting);
  }
  if (!connected) {
    // The thread may be inside a call for the topic's metadata, which cannot be cancelled: it goes on by itself.
    reports_.detach();
    return;
  }
  const kafka::Queue main_queue(rd_kafka_queue_get_main(client_.handle()));
  rd_kafka_queue_yield(main_queue.get());
  reports_.join();
  // Each payload still with librdkafka comes back in a report, also when no broker answers.
  rd_kafka_purge(client_.handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client_.handle(), kPurgeTimeoutMs);
}

/// The events, with an error kept: whoever waits is woken, and later callers are told.
kafka::Events FrameProducer::failing(kafka::Events events) {
  events.error = [this, report = std::move(events.error)](const Failure& failure) {
    queue_.lock()->failed = true;
    changed_.notify_all();
    report(failure);
  };
  return events;
}

kafka::Conf FrameProducer::make_conf() const {
  kafka::Config config = settings_.config;
  for (kafka::Setting& setting : defaults(settings_.delivery)) config.defaults.push_back(std::move(setting));
  kafka::Conf conf = kafka::make_conf(config);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), [](rd_kafka_t* handle, const rd_kafka_message_t* report, void*) {
    static_cast<FrameProducer*>(kafka::Client::opaque(handle))->on_report(*report);
  });
  return conf;
}

void FrameProducer::run() {
  std::vector<kafka::TopicSize> found;
  if (client_.wait_for_topics({settings_.topic}, settings_.connect_timeout, stop_, found) !=
      kafka::Client::Readiness::kReady) {
    return;
  }
  {
    auto queue = queue_.lock();
    if (stop_) return;
    queue->connected = true;
  }
  hand_over_waiting();
  while (!stop_) rd_kafka_poll(client_.handle(), kNoLimitMs);
}

FrameProducer::Outcome FrameProducer::outcome(const Queue& queue) const {
  if (queue.failed) return Outcome::kFailed;
  return queue.flushing ? Outcome::kFlushing : Outcome::kDone;
}

FrameProducer::Outcome FrameProducer::send(OutgoingFrame& frame) {
  OutgoingFrame dropped;  // let go without the lock: what its owner does then is not known here
  {
    auto queue = queue_.lock();
    const auto has_room = [&] { return queue->held() < settings_.max_queue_frames; };
    if (settings_.delivery == Delivery::kLossless) {
      queue.wait(changed_, [&] { return outcome(*queue) != Outcome::kDone || has_room(); });
    }
    if (outcome(*queue) != Outcome::kDone) return outcome(*queue);
    if (!has_room() && !queue->waiting.empty()) {
      dropped = std::move(queue->waiting.front());
      queue->waiting.pop_front();
      ++queue->counts.dropped;
    }
    queue->waiting.push_back(std::move(frame));
  }
  hand_over_waiting();
  return Outcome::kDone;
}

void FrameProducer::hand_over_waiting() {
  auto refused = RD_KAFKA_RESP_ERR_NO_ERROR;
  {
    // Under the lock, for two threads come here and the order must stay: rd_kafka_producev only queues.
    auto queue = queue_.lock();
    while (queue->connected && !queue->waiting.empty() && queue->under_way < max_under_way_) {
      const auto error = produce(queue->waiting.front());
      if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL && queue->under_way > 0) break;  // goes on with the next report
      queue->waiting.pop_front();
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++queue->under_way;
      } else {
        ++queue->counts.failed;
        refused = error;
      }
    }
  }
  if (refused == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  changed_.notify_all();  // there is room now
  client_.saw_error(refused, {});
}

rd_kafka_resp_err_t FrameProducer::produce(OutgoingFrame& frame) {
  kafka::Headers headers = to_kafka(frame.headers);
  auto owner = std::make_unique<std::shared_ptr<const void>>(std::move(frame.owner));
  const auto error =
      rd_kafka_producev(client_.handle(), RD_KAFKA_V_RKT(topic_.get()), RD_KAFKA_V_MSGFLAGS(0),
                        RD_KAFKA_V_VALUE(const_cast<std::byte*>(frame.payload.data()), frame.payload.size()),
                        RD_KAFKA_V_KEY(frame.key.data(), frame.key.size()), RD_KAFKA_V_TIMESTAMP(frame.timestamp_ms),
                        RD_KAFKA_V_HEADERS(headers.get()), RD_KAFKA_V_OPAQUE(owner.get()), RD_KAFKA_V_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    frame.owner = std::move(*owner);
    return error;
  }
  std::ignore = headers.release();  // librdkafka's now
  std::ignore = owner.release();    // comes back with the report
  return error;                     // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks)
}

void FrameProducer::on_report(const rd_kafka_message_t& report) {
  // The payload goes before it is counted: who waited for the count may look for it.
  delete static_cast<std::shared_ptr<const void>*>(report._private);
  const bool delivered = report.err == RD_KAFKA_RESP_ERR_NO_ERROR;
  {
    auto queue = queue_.lock();
    --queue->under_way;
    if (delivered) {
      ++queue->counts.delivered;
      queue->counts.bytes += report.len;
    } else {
      ++queue->counts.failed;
    }
  }
  changed_.notify_all();
  if (!stop_) hand_over_waiting();
  if (delivered) {
    client_.saw_success();
  } else if (!stop_) {
    client_.saw_error(report.err, {});  // rd_kafka_message_errstr() would read the payload as text
  }
}

FrameProducer::Outcome FrameProducer::drain(std::chrono::milliseconds timeout, std::size_t& held) {
  auto queue = queue_.lock();
  const bool live = settings_.delivery == Delivery::kLive;
  const auto done = [&] {
    return outcome(*queue) != Outcome::kDone || queue->held() == 0 || (live && client_.in_outage());
  };
  if (timeout.count() == 0) {
    queue.wait(changed_, done);
  } else {
    queue.wait_until(changed_, std::chrono::steady_clock::now() + timeout, done);
  }
  held = queue->held();
  return outcome(*queue);
}

void FrameProducer::set_flushing(bool flushing) {
  queue_.lock()->flushing = flushing;
  changed_.notify_all();
}

}  // namespace gkv
