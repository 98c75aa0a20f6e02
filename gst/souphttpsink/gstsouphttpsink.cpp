/**
 * SECTION:element-souphttpsink
 * @title: souphttpsink
 * @short_description: shows JPEG pictures to browsers over HTTP
 *
 * An HTTP server that shows the pictures it is given: as a page with a tile for each source (`/`), as an MJPEG
 * stream (`/stream`, `/stream/SOURCE`), as a single picture (`/snapshot`, `/snapshot/SOURCE`) and as JSON (`/state`).
 *
 * Frames of several sources may come on the one pad; the source id in their KafkaFrameMeta tells them apart. Frames
 * without one are of the source `default`. Each viewer is sent the newest frame of a source as soon as its connection
 * has taken the one before, so a slow viewer sees fewer pictures, never old or broken ones, and costs the pipeline
 * and other viewers nothing.
 *
 * ## Examples
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! jpegenc ! souphttpsink port=8080
 * ]| Then open http://127.0.0.1:8080/ in a browser.
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! jpegenc ! multipartmux ! souphttpsink address=0.0.0.0
 * ]| The same from a multipart stream, for viewers on other machines.
 */
#include "gstsouphttpsink.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/frame/gstframemeta.h"
#include "common/glue/guarded.h"
#include "common/glue/mapped_buffer.h"
#include "common/glue/reporting_failure.h"
#include "http_server.h"
#include "multipart_parser.h"

GST_DEBUG_CATEGORY_STATIC(soup_http_sink_debug);
#define GST_CAT_DEFAULT soup_http_sink_debug

namespace {

constexpr const char* kUnnamedSource = "default";
constexpr const char* kMultipart = "multipart/x-mixed-replace";
constexpr gint64 kWarningIntervalUs = 60 * G_USEC_PER_SEC;

/// What the properties say; copied when the element starts.
struct Settings {
  gkv::HttpServer::Config server{.port = 8080};
};

/// What the streaming thread knows of the stream.
struct Stream {
  std::optional<gkv::MultipartParser> parser;  ///< for multipart input
  guint64 unreadable = 0;                      ///< frames that were no pictures, but for the parser's count
  gint64 warned_at = 0;                        ///< monotonic µs; 0: never
  guint64 warned_of = 0;
};

enum Property { kAddress = 1, kPort, kBoundary, kStats };

bool is_jpeg(GBytes* bytes) {
  gsize size = 0;
  const auto* data = static_cast<const guint8*>(g_bytes_get_data(bytes, &size));
  return size > 3 && data[0] == 0xff && data[1] == 0xd8;
}

/// The buffer's memory, kept as long as the bytes are.
gkv::BytesPtr share(GstBuffer* buffer) {
  auto mapped = std::make_unique<gkv::MappedBuffer>(buffer);
  const auto bytes = mapped->bytes();
  return gkv::BytesPtr(g_bytes_new_with_free_func(
      bytes.data(), bytes.size(), [](gpointer data) { delete static_cast<gkv::MappedBuffer*>(data); },
      mapped.release()));
}

}  // namespace

struct SoupHttpSinkState {
  gkv::Guarded<Settings> settings;
  /// Null when stopped. Shared with the streaming thread alone, so that stop() is who ends it.
  gkv::Guarded<std::shared_ptr<gkv::HttpServer>> server;
  gkv::Guarded<Stream> stream;
};

struct _GstSoupHttpSink {
  GstBaseSink parent;
  SoupHttpSinkState* state;  ///< C++ members live here: new in init, delete in finalize.
};

G_DEFINE_TYPE(GstSoupHttpSink, gst_soup_http_sink, GST_TYPE_BASE_SINK)
GST_ELEMENT_REGISTER_DEFINE(souphttpsink, "souphttpsink", GST_RANK_NONE, GST_TYPE_SOUP_HTTP_SINK)

static guint64 malformed(const Stream& stream) {
  return stream.unreadable + (stream.parser ? stream.parser->malformed() : 0);
}

/// Says that input was skipped: when it first happens, and then at most once a minute.
static void warn_of_malformed(GstSoupHttpSink* self) {
  guint64 count = 0;
  {
    auto stream = self->state->stream.lock();
    count = malformed(*stream);
    const auto now = g_get_monotonic_time();
    if (count == stream->warned_of) return;
    if (stream->warned_at != 0 && now - stream->warned_at < kWarningIntervalUs) return;
    stream->warned_at = now;
    stream->warned_of = count;
  }
  GST_ELEMENT_WARNING(self, STREAM, DECODE,
                      ("Input that is no JPEG picture was skipped; check what feeds %s.", GST_OBJECT_NAME(self)),
                      ("%" G_GUINT64_FORMAT " frames or parts skipped so far", count));
}

static void publish(GstSoupHttpSink* self, GstBuffer* buffer, gkv::BytesPtr jpeg) {
  if (!is_jpeg(jpeg.get())) {
    ++self->state->stream.lock()->unreadable;
    return;
  }
  const auto info = gkv::frame_info(buffer);
  const bool named = info && !info->source.empty();
  // Not under the lock: it may free the buffer that the picture replaces, which runs other elements' code.
  const auto server = self->state->server.snapshot();
  server->publish(named ? info->source : kUnnamedSource, std::move(jpeg), info ? info->capture_time_ns : std::nullopt);
}

static GstFlowReturn gst_soup_http_sink_render(GstBaseSink* sink, GstBuffer* buffer) {
  auto* self = GST_SOUP_HTTP_SINK(sink);
  return gkv::reporting_failure(sink, GST_FLOW_ERROR, [&] {
    if (gst_buffer_get_size(buffer) == 0) return GST_FLOW_OK;
    std::vector<gkv::BytesPtr> pictures;
    if (auto stream = self->state->stream.lock(); stream->parser) {
      pictures = stream->parser->push(share(buffer));
    } else {
      pictures.push_back(share(buffer));
    }
    for (auto& picture : pictures) publish(self, buffer, std::move(picture));
    warn_of_malformed(self);
    return GST_FLOW_OK;
  });
}

static gboolean gst_soup_http_sink_set_caps(GstBaseSink* sink, GstCaps* caps) {
  auto* self = GST_SOUP_HTTP_SINK(sink);
  return gkv::reporting_failure(sink, gboolean{FALSE}, [&] {
    auto stream = self->state->stream.lock();
    stream->unreadable = malformed(*stream);
    stream->parser.reset();
    const auto* structure = gst_caps_get_structure(caps, 0);
    if (gst_structure_has_name(structure, kMultipart)) {
      const char* boundary = gst_structure_get_string(structure, "boundary");
      stream->parser.emplace(boundary != nullptr ? boundary : "");
    }
    return gboolean{TRUE};
  });
}

static gboolean gst_soup_http_sink_start(GstBaseSink* sink) {
  auto* self = GST_SOUP_HTTP_SINK(sink);
  return gkv::reporting_failure(sink, gboolean{FALSE}, [&] {
    auto server = std::make_shared<gkv::HttpServer>(self->state->settings.snapshot().server);
    GST_INFO_OBJECT(self, "serving at %s", server->url().c_str());
    *self->state->stream.lock() = Stream();
    *self->state->server.lock() = std::move(server);
    return gboolean{TRUE};
  });
}

static gboolean gst_soup_http_sink_stop(GstBaseSink* sink) {
  // Ended outside of the lock: it waits for viewers.
  const auto server = std::exchange(*GST_SOUP_HTTP_SINK(sink)->state->server.lock(), nullptr);
  return TRUE;
}

static gboolean gst_soup_http_sink_event(GstBaseSink* sink, GstEvent* event) {
  const bool eos = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
  const auto handled = GST_BASE_SINK_CLASS(gst_soup_http_sink_parent_class)->event(sink, event);
  if (eos) {
    if (const auto server = GST_SOUP_HTTP_SINK(sink)->state->server.snapshot()) server->end_streams();
  }
  return handled;
}

/// GstBaseSink's statistics and ours. @return the caller's
static GstStructure* make_stats(GstSoupHttpSink* self) {
  auto* stats = gst_base_sink_get_stats(GST_BASE_SINK(self));
  guint viewers = 0;
  if (auto server = self->state->server.lock(); *server) viewers = static_cast<guint>((*server)->viewers());
  gst_structure_set(stats, "viewers", G_TYPE_UINT, viewers, "malformed", G_TYPE_UINT64,
                    malformed(*self->state->stream.lock()), nullptr);
  return stats;
}

static void gst_soup_http_sink_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  auto settings = GST_SOUP_HTTP_SINK(object)->state->settings.lock();
  const auto text = [&] {
    const char* string = g_value_get_string(value);
    return std::string(string != nullptr ? string : "");
  };
  switch (id) {
    case kAddress: settings->server.address = text(); break;
    case kPort: settings->server.port = g_value_get_int(value); break;
    case kBoundary: settings->server.boundary = text(); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void gst_soup_http_sink_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  auto* self = GST_SOUP_HTTP_SINK(object);
  const auto settings = self->state->settings.snapshot();
  switch (id) {
    case kAddress: g_value_set_string(value, settings.server.address.c_str()); break;
    case kPort: {
      auto server = self->state->server.lock();
      g_value_set_int(value, *server ? (*server)->port() : settings.server.port);
      break;
    }
    case kBoundary: g_value_set_string(value, settings.server.boundary.c_str()); break;
    case kStats: g_value_take_boxed(value, make_stats(self)); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void gst_soup_http_sink_init(GstSoupHttpSink* self) {
  self->state = new SoupHttpSinkState;
  gst_base_sink_set_sync(GST_BASE_SINK(self), FALSE);
}

static void gst_soup_http_sink_finalize(GObject* object) {
  delete GST_SOUP_HTTP_SINK(object)->state;
  G_OBJECT_CLASS(gst_soup_http_sink_parent_class)->finalize(object);
}

static void install_properties(GObjectClass* object) {
  constexpr auto kFlags = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  const Settings defaults;
  g_object_class_install_property(
      object, kAddress,
      g_param_spec_string("address", "Address",
                          "IPv4 or IPv6 address to listen on; 0.0.0.0 lets other machines in, unprotected",
                          defaults.server.address.c_str(), kFlags));
  g_object_class_install_property(
      object, kPort,
      g_param_spec_int("port", "Port",
                       "TCP port to listen on (0: a free one is picked, and can be read while the element runs)", 0,
                       G_MAXUINT16, defaults.server.port, kFlags));
  g_object_class_install_property(
      object, kBoundary,
      g_param_spec_string("boundary", "Boundary", "Text between the parts of /stream, without the leading dashes",
                          defaults.server.boundary.c_str(), kFlags));
  g_object_class_install_property(
      object, kStats,
      g_param_spec_boxed(
          "stats", "Statistics",
          "Those of GstBaseSink, viewers (streams being sent now, 0 when stopped) and malformed (frames or "
          "parts skipped because they were no JPEG pictures, since the element last started)",
          GST_TYPE_STRUCTURE, GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

static void gst_soup_http_sink_class_init(GstSoupHttpSinkClass* klass) {
  GST_DEBUG_CATEGORY_INIT(soup_http_sink_debug, "souphttpsink", 0, "HTTP server sink");

  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = gst_soup_http_sink_set_property;
  object->get_property = gst_soup_http_sink_get_property;
  object->finalize = gst_soup_http_sink_finalize;
  install_properties(object);

  auto* element = GST_ELEMENT_CLASS(klass);
  static GstStaticPadTemplate sink = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                                                             GST_STATIC_CAPS("image/jpeg; multipart/x-mixed-replace"));
  gst_element_class_add_static_pad_template(element, &sink);
  gst_element_class_set_static_metadata(
      element, "HTTP server sink", "Sink/Network",
      "Shows JPEG pictures of one or many sources to browsers over HTTP: a page, MJPEG streams, snapshots, e.g. "
      "videotestsrc is-live=true ! jpegenc ! souphttpsink port=8080",
      "gst-kafka-vision contributors");

  auto* base_sink = GST_BASE_SINK_CLASS(klass);
  base_sink->start = gst_soup_http_sink_start;
  base_sink->stop = gst_soup_http_sink_stop;
  base_sink->event = gst_soup_http_sink_event;
  base_sink->set_caps = gst_soup_http_sink_set_caps;
  base_sink->render = gst_soup_http_sink_render;
}
