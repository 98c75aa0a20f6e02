#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <cstdint>
#include <memory>
#include <string>

#include "encoded_stream.h"
#include "owned.h"

namespace gkv {

/// Serves encoded streams over RTSP, with RTP inside the RTSP connection (TCP): on a busy machine UDP would lose
/// packets, and all is on one port.
class RtspServer {
 public:
  /// Listens at once; clients are answered when the main loop runs.
  /// @param port  0: any free one
  /// @throws Failure  when the address or port cannot be had
  RtspServer(const std::string& address, std::uint16_t port);
  ~RtspServer();
  RtspServer(const RtspServer&) = delete;
  RtspServer& operator=(const RtspServer&) = delete;

  /// @param path  with its leading slash
  void mount(const std::string& path, std::shared_ptr<EncodedStream> stream);

  int port() const { return gst_rtsp_server_get_bound_port(server_.get()); }

 private:
  std::unique_ptr<GstRTSPServer, Releaser<g_object_unref>> server_;
  std::unique_ptr<GSource, Releaser<g_source_unref>> listener_;
};

}  // namespace gkv
