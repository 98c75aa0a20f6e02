#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "common/kafka/handles.h"

namespace gkv {

/// One frame on its way to Kafka.
struct OutgoingFrame {
  std::span<const std::byte> payload;  ///< the message's value, not copied
  std::shared_ptr<const void> owner;   ///< keeps the payload until the broker has it, or it is given up
  std::optional<std::string> key;      ///< nullopt: none
  kafka::Headers headers;
  std::int64_t timestamp_ms = 0;  ///< of the message, Unix ms
  std::int64_t captured_ms = 0;   ///< Unix ms
  std::size_t bytes_beside = 0;   ///< of key and headers, which count for the limits of a message, too
};

/// Frames that are held until Kafka has them, bounded in number and bytes: those that wait, and those under way, which
/// librdkafka has. Each part is in the order in which the frames came.
class OutgoingQueue {
 public:
  struct Limits {
    std::size_t frames = 1;
    std::size_t bytes = 0;  ///< 0: no limit. A frame above it is taken when nothing else is held
  };
  struct Entry {
    OutgoingFrame frame;
    std::uint64_t number = 0;
    std::chrono::steady_clock::time_point came_at;
    std::chrono::steady_clock::time_point sent_at;  ///< when it was given to librdkafka
    std::list<Entry>::iterator self;                ///< its place, once it is under way
  };
  using Entries = std::list<Entry>;

  explicit OutgoingQueue(Limits limits) : limits_(limits) {}

  bool has_room(std::size_t bytes) const {
    return held() == 0 || (held() < limits_.frames && (limits_.bytes == 0 || bytes_ + bytes <= limits_.bytes));
  }
  /// Whether it is worth waking who waits for room: then several frames have some, and one wake-up serves them all.
  bool is_half_empty() const {
    return held() <= limits_.frames / 2 && (limits_.bytes == 0 || bytes_ <= limits_.bytes / 2);
  }
  void push(OutgoingFrame frame) {
    bytes_ += frame.payload.size();
    waiting_.push_back(
        {.frame = std::move(frame), .number = next_number_++, .came_at = std::chrono::steady_clock::now()});
  }
  bool has_waiting() const { return !waiting_.empty(); }
  /// Whether the oldest waiting frame may be sent: no more than `frames` and half of the limit of bytes are under way,
  /// for only what waits can be dropped.
  bool may_send(std::size_t frames) const {
    if (waiting_.empty() || under_way_.size() >= frames) return false;
    const std::size_t bytes = bytes_under_way_ + waiting_.front().frame.payload.size();
    return under_way_.empty() || limits_.bytes == 0 || bytes <= limits_.bytes / 2;
  }
  Entry& front() { return waiting_.front(); }

  /// Takes the oldest waiting frame out. What it owns is let go where the result is: not under a lock.
  Entries take_front() {
    bytes_ -= front().frame.payload.size();
    Entries taken;
    taken.splice(taken.begin(), waiting_, waiting_.begin());
    return taken;
  }
  /// The oldest waiting frame is librdkafka's now. @return it; stays where it is in memory
  Entry& send_front() {
    under_way_.splice(under_way_.end(), waiting_, waiting_.begin());
    Entry& entry = under_way_.back();
    entry.self = std::prev(under_way_.end());
    entry.sent_at = std::chrono::steady_clock::now();
    bytes_under_way_ += entry.frame.payload.size();
    return entry;
  }
  /// Takes a frame out that was under way.
  Entries take(Entry& entry) {
    bytes_ -= entry.frame.payload.size();
    bytes_under_way_ -= entry.frame.payload.size();
    Entries taken;
    taken.splice(taken.begin(), under_way_, entry.self);
    return taken;
  }
  /// A frame that was under way waits again, in its old place.
  void put_back(Entry& entry) {
    auto place = waiting_.begin();
    while (place != waiting_.end() && place->number < entry.number) ++place;
    bytes_under_way_ -= entry.frame.payload.size();
    waiting_.splice(place, under_way_, entry.self);
  }
  /// Takes all that waits.
  Entries take_waiting() {
    for (const Entry& entry : waiting_) bytes_ -= entry.frame.payload.size();
    return std::exchange(waiting_, {});
  }

  std::size_t held() const { return waiting_.size() + under_way_.size(); }
  std::size_t under_way() const { return under_way_.size(); }
  /// When the frame that is under way longest was sent; nullopt: there is none.
  std::optional<std::chrono::steady_clock::time_point> oldest_sent_at() const {
    return under_way_.empty() ? std::nullopt : std::optional(under_way_.front().sent_at);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  Limits limits_;
  Entries waiting_, under_way_;
  std::size_t bytes_ = 0;
  std::size_t bytes_under_way_ = 0;
  std::uint64_t next_number_ = 0;
};

}  // namespace gkv
