#pragma once

#include <libsoup/soup.h>

#include <functional>
#include <string>

#include "delivery.h"
#include "glib_handles.h"
#include "stream_format.h"

namespace gkv {

/// One HTTP response that is a stream of pictures. Lives on the server's thread.
class Viewer {
 public:
  /// Begins the response.
  /// @param message  GET request that has been read, not answered yet
  /// @param socket  the message's; null: its connection is over
  /// @param source  which source's frames it is sent; empty: not known yet
  /// @param format  must outlive the viewer
  /// @param context  of the server's thread
  /// @param on_gone  called when the response is over; may delete the viewer
  Viewer(SoupServerMessage* message, GSocket* socket, std::string source, const StreamFormat& format,
         GMainContext* context, std::function<void(Viewer&)> on_gone);
  ~Viewer();
  Viewer(const Viewer&) = delete;
  Viewer& operator=(const Viewer&) = delete;

  /// The response headers of a stream.
  static void set_headers(SoupServerMessage* message, const StreamFormat& format);

  const std::string& source() const { return source_; }
  void bind(std::string source) { source_ = std::move(source); }

  /// The newest frame of its source.
  void offer(FramePtr frame) { send(delivery_.offer(std::move(frame), Delivery::Clock::now())); }

  /// Sends the last frame again when nothing came for a while.
  void repeat(Delivery::Clock::time_point now) { send(delivery_.repeat(now)); }
  Delivery::Clock::time_point repeat_due() const { return delivery_.repeat_due(); }

  /// Ends the response behind the picture that is being sent.
  void end();

 private:
  static void wrote_chunk(SoupServerMessage* message, gpointer self);
  static void gone(SoupServerMessage* message, gpointer self);
  static gboolean socket_event(GSocket* socket, GIOCondition condition, gpointer self);

  void send(const FramePtr& frame);
  void append(const FramePtr& frame);
  void limit_kernel_buffer();
  void watch(GIOCondition condition);
  bool said_goodbye(GIOCondition condition);

  GObjectPtr<SoupServerMessage> message_;
  GObjectPtr<GSocket> socket_;
  SoupMessageBody* body_;
  std::string source_;
  const StreamFormat& format_;
  GMainContext* context_;
  std::function<void(Viewer&)> on_gone_;
  Delivery delivery_;
  int chunks_left_ = 0;  ///< handed to libsoup and not written yet
  SourcePtr hang_up_;
};

}  // namespace gkv
