#include "multipart_parser.h"

#include <libsoup/soup.h>

#include <algorithm>
#include <charconv>

namespace gkv {
namespace {

struct HeadersUnref {
  void operator()(SoupMessageHeaders* headers) const { soup_message_headers_unref(headers); }
};
using HeadersPtr = std::unique_ptr<SoupMessageHeaders, HeadersUnref>;

struct Line {
  std::string_view text;  ///< without the line end
  std::size_t size = 0;   ///< with it
};

std::optional<Line> first_line(std::string_view bytes) {
  const auto end = bytes.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  auto text = bytes.substr(0, end);
  const auto last = text.find_last_not_of("\r \t");
  return Line{text.substr(0, last == std::string_view::npos ? 0 : last + 1), end + 1};
}

/// @return size of the header block with the empty line that ends it, or 0 while there is none
std::size_t header_block_size(std::string_view bytes) {
  for (std::size_t size = 0;;) {
    const auto line = first_line(bytes.substr(size));
    if (!line) return 0;
    size += line->size;
    if (line->text.empty()) return size;
  }
}

std::optional<std::size_t> parse_size(std::string_view text) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return size;
}

}  // namespace

std::vector<BytesPtr> MultipartParser::push(BytesPtr chunk) {
  std::vector<BytesPtr> bodies;
  if (state_ == State::kBody && rest().empty() && g_bytes_get_size(chunk.get()) == body_size_) {
    end_part(std::move(chunk), bodies);
    return bodies;
  }
  pending_.append(view(chunk));
  while (advance(bodies)) {
  }
  pending_.erase(0, position_);
  position_ = 0;
  return bodies;
}

/// @return whether there may be more to understand in what is pending
bool MultipartParser::advance(std::vector<BytesPtr>& bodies) {
  switch (state_) {
    case State::kBoundary: return read_boundary();
    case State::kHeaders: return read_headers();
    case State::kBody: return read_body(bodies);
    case State::kUnsizedBody: return read_unsized_body(bodies);
    case State::kLost: return find_boundary_again();
  }
  return false;
}

bool MultipartParser::read_boundary() {
  const auto line = first_line(rest());
  if (!line) {
    if (rest().size() <= kMaxHeaderBytes) return false;
    position_ += rest().size();
    return get_lost();
  }
  position_ += line->size;
  if (line->text.empty()) return true;
  if (!line->text.starts_with("--")) return get_lost();
  const auto name = line->text.substr(2);
  if (boundary_.empty()) boundary_ = name;
  if (name == boundary_) {
    state_ = State::kHeaders;
  } else if (name != boundary_ + "--") {
    return get_lost();
  }
  return true;
}

bool MultipartParser::read_headers() {
  const auto size = header_block_size(rest());
  if (size > kMaxHeaderBytes || (size == 0 && rest().size() > kMaxHeaderBytes)) return get_lost();
  if (size == 0) return false;
  const auto headers = rest().substr(0, size);
  position_ += size;
  begin_part(headers);
  return true;
}

void MultipartParser::begin_part(std::string_view block) {
  HeadersPtr headers(soup_message_headers_new(SOUP_MESSAGE_HEADERS_MULTIPART));
  // libsoup skips what it takes for the status line.
  const std::string text = "\r\n" + std::string(block);
  soup_headers_parse(text.data(), static_cast<int>(text.size()), headers.get());

  const char* type = soup_message_headers_get_content_type(headers.get(), nullptr);
  wanted_ = type == nullptr || g_ascii_strcasecmp(type, "image/jpeg") == 0;

  const char* length = soup_message_headers_get_one(headers.get(), "Content-Length");
  if (length == nullptr) {
    state_ = State::kUnsizedBody;
    searched_ = 0;
    return;
  }
  const auto size = parse_size(length);
  if (!size || *size > kMaxBodyBytes) {
    get_lost();
    return;
  }
  body_size_ = *size;
  state_ = State::kBody;
}

bool MultipartParser::read_body(std::vector<BytesPtr>& bodies) {
  if (rest().size() < body_size_) return false;
  auto body = make_bytes(rest().substr(0, body_size_));
  position_ += body_size_;
  end_part(std::move(body), bodies);
  return true;
}

bool MultipartParser::read_unsized_body(std::vector<BytesPtr>& bodies) {
  const std::string delimiter = "\n--" + boundary_;
  const auto end = rest().find(delimiter, searched_);
  if (end == std::string_view::npos) {
    // The delimiter may be cut in two by the end of this chunk.
    searched_ = rest().size() - std::min(rest().size(), delimiter.size());
    return rest().size() > kMaxBodyBytes && get_lost();
  }
  auto body = rest().substr(0, end);
  if (body.ends_with('\r')) body.remove_suffix(1);
  position_ += end + 1;
  end_part(make_bytes(body), bodies);
  return true;
}

void MultipartParser::end_part(BytesPtr body, std::vector<BytesPtr>& bodies) {
  state_ = State::kBoundary;
  if (wanted_ && g_bytes_get_size(body.get()) > 0) {
    bodies.push_back(std::move(body));
  } else {
    ++malformed_;
  }
}

/// Gives up on the part at hand. @return true: the next boundary may be in what is pending
bool MultipartParser::get_lost() {
  ++malformed_;
  state_ = State::kLost;
  return true;
}

bool MultipartParser::find_boundary_again() {
  const std::string delimiter = "--" + boundary_;
  for (auto found = rest().find(delimiter); found != std::string_view::npos; found = rest().find(delimiter)) {
    const bool line_start = position_ + found == 0 || pending_[position_ + found - 1] == '\n';
    position_ += found;
    if (line_start) {
      state_ = State::kBoundary;
      return true;
    }
    position_ += delimiter.size();
  }
  // The delimiter's beginning, and the line end before it, may be among the last bytes.
  const auto kept = std::min(rest().size(), delimiter.size());
  position_ = pending_.size() - kept;
  return false;
}

}  // namespace gkv
