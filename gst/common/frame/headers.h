#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/frame/frame.h"

namespace gkv {

/// The part of a frame message that stands in Kafka headers, as a CloudEvents 1.0 event in the Kafka protocol binding's
/// binary mode (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md).
/// The message's value is the frame's bytes, its key the source id.
struct FrameHeaders {
  std::string content_type;  ///< media type: the name of the caps
  std::string caps;          ///< full caps as text
  std::string id;            ///< unique within the source, new at each hop
  FrameInfo info;            ///< without position
  std::optional<std::uint64_t> pts_ns, dts_ns, duration_ns;
  bool delta_unit = false;
  bool discont = false;
  std::vector<Classification> classifications;
};

/// Calls `add` with each name and value, in the order in which they are sent; what is unknown is left out.
void encode_headers(const FrameHeaders& headers,
                    const std::function<void(std::string_view name, std::string_view value)>& add);

/// @return names and values in the order in which they are sent; what is unknown is left out
std::vector<Header> encode_headers(const FrameHeaders& headers);

/// A header of a message that was read; it lives as long as the message.
struct HeaderView {
  std::string_view name;
  std::string_view value;
};

/// What was read from a message's headers.
struct DecodedHeaders {
  FrameHeaders headers;
  std::vector<std::string> problems;  ///< one sentence for each header that was ignored because it was malformed
  std::string unknown_type;           ///< `ce_type`, when it is of our kind but of another version: skip the message
};

/// Reads headers that nobody vouches for. Headers of others end up in `headers.info.foreign_headers`: up to 32 of them,
/// with names of up to 256 bytes.
/// @param known_caps  caps that an earlier message had: they need not be looked through again
DecodedHeaders decode_headers(std::span<const HeaderView> headers, std::string_view known_caps = {});

}  // namespace gkv
