#include "rtsp_server.h"

#include "common/failure.h"

namespace gkv {
namespace {

using StreamPointer = std::shared_ptr<EncodedStream>;

/// A client's media as a viewer of the stream; ends with the media that it is attached to.
class Subscription {
 public:
  Subscription(StreamPointer stream, ElementPointer source)
      : stream_(std::move(stream)), viewer_(stream_->subscribe(std::move(source))) {}
  ~Subscription() { stream_->unsubscribe(viewer_); }
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  Viewer& viewer() { return *viewer_; }

 private:
  const StreamPointer stream_;
  const std::shared_ptr<Viewer> viewer_;
};

void media_changes_state(GstRTSPMedia*, gint state, gpointer data) {
  static_cast<Subscription*>(data)->viewer().set_playing(state == GST_STATE_PLAYING);
}

void configure_media(GstRTSPMediaFactory*, GstRTSPMedia* media, gpointer data) {
  ElementPointer bin(gst_rtsp_media_get_element(media));
  ElementPointer source(gst_bin_get_by_name_recurse_up(GST_BIN(bin.get()), "source"));
  auto* subscription = new Subscription(*static_cast<StreamPointer*>(data), std::move(source));
  g_signal_connect(media, "new-state", G_CALLBACK(media_changes_state), subscription);
  g_object_set_data_full(G_OBJECT(media), "gkv-subscription", subscription,
                         [](gpointer owned) { delete static_cast<Subscription*>(owned); });
}

}  // namespace

RtspServer::RtspServer(const std::string& address, std::uint16_t port) : server_(gst_rtsp_server_new()) {
  gst_rtsp_server_set_address(server_.get(), address.c_str());
  gst_rtsp_server_set_service(server_.get(), std::to_string(port).c_str());
  GError* error = nullptr;
  listener_.reset(gst_rtsp_server_create_source(server_.get(), nullptr, &error));
  ErrorPointer owned_error(error);
  if (!listener_) {
    throw Failure("Address " + address + " port " + std::to_string(port) +
                      " cannot be listened on, choose another --address or --port",
                  error->message);
  }
  g_source_attach(listener_.get(), nullptr);
}

RtspServer::~RtspServer() {
  g_source_destroy(listener_.get());
  gst_rtsp_server_client_filter(
      server_.get(), [](GstRTSPServer*, GstRTSPClient*, gpointer) { return GST_RTSP_FILTER_REMOVE; }, nullptr);
}

void RtspServer::mount(const std::string& path, StreamPointer stream) {
  GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
  // Each client has a media of its own, which only packs frames that were encoded once for all: a shared media would
  // stop with the client who leaves while the next one arrives, and would let a slow client hold up the others.
  gst_rtsp_media_factory_set_launch(factory,
                                    "( appsrc name=source is-live=true format=time max-bytes=0"
                                    " ! rtph264pay name=pay0 pt=96 config-interval=-1 )");
  gst_rtsp_media_factory_set_protocols(factory, GST_RTSP_LOWER_TRANS_TCP);
  g_signal_connect_data(
      factory, "media-configure", G_CALLBACK(configure_media), new StreamPointer(std::move(stream)),
      [](gpointer owned, GClosure*) { delete static_cast<StreamPointer*>(owned); }, GConnectFlags(0));

  std::unique_ptr<GstRTSPMountPoints, Releaser<g_object_unref>> mounts(gst_rtsp_server_get_mount_points(server_.get()));
  gst_rtsp_mount_points_add_factory(mounts.get(), path.c_str(), factory);
}

}  // namespace gkv
