#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gkv {

/// One class with the score that a model gave it.
struct ScoredLabel {
  std::string label;
  int class_id = -1;      ///< index that the model gave
  double confidence = 0;  ///< 0..1

  bool operator==(const ScoredLabel&) const = default;
};

/// What one model says of a frame, or said of an earlier frame of the same source.
struct Classification {
  std::string model;
  std::string version;               ///< empty: unknown
  std::optional<std::string> label;  ///< nullopt: the model has not answered yet
  int class_id = -1;
  double confidence = 0;          ///< 0..1
  std::vector<ScoredLabel> top;   ///< best first
  std::uint64_t captured_ns = 0;  ///< capture time of the frame that was classified, Unix ns; 0: unknown
  std::uint64_t took_ns = 0;      ///< request to answer

  bool operator==(const Classification&) const = default;
};

/// A Kafka header: a value that need not be text.
struct Header {
  std::string name;
  std::string value;

  bool operator==(const Header&) const = default;
};

/// Where in Kafka a frame came from.
struct KafkaPosition {
  std::string topic;
  int partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = -1;  ///< Unix ms; -1: none

  bool operator==(const KafkaPosition&) const = default;
};

/// What a frame carries beside pixels and time stamps; unknown values are left out.
struct FrameInfo {
  std::string source;                            ///< source id: which camera; empty: unknown
  std::optional<std::uint64_t> capture_time_ns;  ///< Unix ns, taken once, at the camera service
  std::string stream;                            ///< run id of the camera service
  std::optional<std::uint64_t> sequence;         ///< the camera service's frame count
  std::optional<KafkaPosition> position;
  std::vector<Header> foreign_headers;  ///< headers of others, to be passed on

  bool operator==(const FrameInfo&) const = default;
};

}  // namespace gkv
