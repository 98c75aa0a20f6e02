/**
 * SECTION:element-tfservingclassify
 * @title: tfservingclassify
 * @short_description: asks models behind TensorFlow Serving what a frame shows
 *
 * Sends frames to one or more models over TensorFlow Serving's REST protocol, and attaches what they say to the frames
 * as `ClassificationMeta`. JPEG frames are sent as they are; raw frames are encoded once for all models, and only those
 * that are really sent. Each new result is posted on the bus, too: an element message `classification` with the fields
 * `source`, `model`, `label`, `class-id`, `confidence`, `captured` and `took`.
 *
 * With `mode=async` the video never waits: a frame carries the newest results of its source. With `mode=sync` each
 * frame waits for its own.
 *
 * ## Example
 * |[
 * gst-launch-1.0 -m videotestsrc is-live=true pattern=ball ! jpegenc !
 * tfservingclassify model-urls=http://localhost:8501/v1/models/patterns:predict label-urls=labels.json ! fakesink
 * ]|
 * Asks the model "patterns" about the picture and shows its answers.
 */
#include "gsttfservingclassify.h"

#include <gst/video/video.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "classifier.h"
#include "common/frame/gstframemeta.h"
#include "common/glue/guarded.h"
#include "common/glue/reporting_failure.h"
#include "gstframepicture.h"

GST_DEBUG_CATEGORY_STATIC(tf_serving_classify_debug);
#define GST_CAT_DEFAULT tf_serving_classify_debug

#define RAW_FORMATS "I420, NV12, BGR, RGB, BGRx, RGBx, xRGB, xBGR, BGRA, RGBA, ARGB, ABGR, GRAY8"

#define GST_TYPE_TF_SERVING_CLASSIFY_MODE (gst_tf_serving_classify_mode_get_type())

namespace {

constexpr int kDefaultJpegQuality = 90;
constexpr guint kDefaultTimeoutMs = 5000;

enum Mode { kAsync, kSync };
enum Property { kModelUrls = 1, kLabelUrls, kMode, kTimeout, kJpegQuality };

/// What the properties say; copied when the element starts.
struct Settings {
  std::string model_urls;
  std::string label_urls;
  Mode mode = kAsync;
  guint timeout_ms = kDefaultTimeoutMs;
  int jpeg_quality = kDefaultJpegQuality;
};

/// What runs between start and stop.
struct Running {
  std::shared_ptr<gkv::Classifier> classifier;
  guint models = 0;
  Mode mode = kAsync;
  int jpeg_quality = kDefaultJpegQuality;
};

struct BufferUnref {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
};
using BufferPtr = std::unique_ptr<GstBuffer, BufferUnref>;

}  // namespace

struct TfServingClassifyState {
  gkv::Guarded<Settings> settings;
  gkv::Guarded<Running> running;
  std::shared_ptr<const gkv::FrameFormat> format;  ///< of the caps; streaming thread only
};

struct _GstTfServingClassify {
  GstElement parent;
  GstPad* sinkpad;
  GstPad* srcpad;
  TfServingClassifyState* state;  ///< C++ members live here: new in init, delete in finalize.
};

G_DEFINE_TYPE(GstTfServingClassify, gst_tf_serving_classify, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE(tfservingclassify, "tfservingclassify", GST_RANK_NONE, GST_TYPE_TF_SERVING_CLASSIFY)

static GType gst_tf_serving_classify_mode_get_type() {
  static const GEnumValue values[] = {
      {kAsync, "The video never waits; a frame carries the newest results of its source", "async"},
      {kSync, "Each frame waits for its own results; the order is kept", "sync"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstTfServingClassifyMode", values);
  return type;
}

/// Told by the classifier's thread, which ends before the element does.
static gkv::ClassifierListener bus_listener(GstTfServingClassify* self) {
  return {.on_result =
              [self](const std::string& source, const gkv::Classification& result) {
                GstStructure* structure = gkv::to_structure(result);
                gst_structure_set_name(structure, "classification");
                gst_structure_set(structure, "source", G_TYPE_STRING, source.c_str(), nullptr);
                GST_LOG_OBJECT(self, "%" GST_PTR_FORMAT, static_cast<gpointer>(structure));
                gst_element_post_message(GST_ELEMENT(self), gst_message_new_element(GST_OBJECT(self), structure));
              },
          .on_outage = [self](const gkv::Failure& failure) { gkv::post_warning(self, failure); },
          .on_notice =
              [self](const gkv::Failure& notice) {
                GST_ELEMENT_INFO(self, RESOURCE, FAILED, ("%s", notice.what()), ("%s", notice.detail().c_str()));
              }};
}

static std::vector<gkv::Model> models_of(const Settings& settings) {
  const auto targets = gkv::parse_model_urls(settings.model_urls);
  const auto locations = gkv::parse_label_urls(settings.label_urls, targets);
  std::vector<gkv::Model> models;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    gkv::Model model{.target = targets[i]};
    if (gkv::is_remote(locations[i])) {
      model.labels_url = locations[i];
    } else if (!locations[i].empty()) {
      model.labels = gkv::read_labels(locations[i]);
    }
    models.push_back(std::move(model));
  }
  return models;
}

static gboolean gst_tf_serving_classify_start(GstTfServingClassify* self) {
  return gkv::reporting_failure(self, gboolean{FALSE}, [self] {
    const Settings settings = self->state->settings.snapshot();
    std::vector<gkv::Model> models = models_of(settings);
    Running running{
        .models = static_cast<guint>(models.size()), .mode = settings.mode, .jpeg_quality = settings.jpeg_quality};
    running.classifier = std::make_shared<gkv::Classifier>(
        std::move(models), std::chrono::milliseconds(settings.timeout_ms), bus_listener(self));
    *self->state->running.lock() = std::move(running);
    return gboolean{TRUE};
  });
}

static void gst_tf_serving_classify_stop(GstTfServingClassify* self) {
  // Destroyed after the lock: that waits for the classifier's thread.
  const Running stopped = std::exchange(*self->state->running.lock(), Running{});
  self->state->format.reset();
}

static GstStateChangeReturn gst_tf_serving_classify_change_state(GstElement* element, GstStateChange transition) {
  auto* self = GST_TF_SERVING_CLASSIFY(element);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !gst_tf_serving_classify_start(self)) {
    return GST_STATE_CHANGE_FAILURE;
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    // The parent's part waits for the streaming thread, which may wait for a model.
    if (auto classifier = self->state->running.lock()->classifier) classifier->interrupt();
  }
  auto* parent = GST_ELEMENT_CLASS(gst_tf_serving_classify_parent_class);
  const GstStateChangeReturn result = parent->change_state(element, transition);
  const bool failed_start = transition == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY || failed_start) gst_tf_serving_classify_stop(self);
  return result;
}

/// The results of an element upstream stay, unless they are of a model of ours.
static void attach(GstBuffer* buffer, const std::vector<gkv::Classification>& ours) {
  std::vector<gkv::Classification> all = gkv::classifications(buffer);
  if (all.empty()) {
    gkv::set_classifications(buffer, ours);
    return;
  }
  std::erase_if(all, [&](const gkv::Classification& theirs) {
    return std::any_of(ours.begin(), ours.end(), [&](const auto& result) { return result.model == theirs.model; });
  });
  all.insert(all.end(), ours.begin(), ours.end());
  gkv::set_classifications(buffer, all);
}

static GstFlowReturn gst_tf_serving_classify_chain(GstPad*, GstObject* parent, GstBuffer* input) {
  auto* self = GST_TF_SERVING_CLASSIFY(parent);
  BufferPtr buffer(input);
  return gkv::reporting_failure(self, GST_FLOW_ERROR, [&] {
    const Running running = self->state->running.snapshot();
    if (!running.classifier) return GST_FLOW_FLUSHING;
    if (!self->state->format) return GST_FLOW_NOT_NEGOTIATED;
    const std::string source = gkv::frame_source(buffer.get());
    auto picture = std::make_shared<gkv::FramePicture>(buffer.get(), self->state->format);
    const gkv::Results results = running.mode == kSync ? running.classifier->classify(source, std::move(picture))
                                                       : running.classifier->offer(source, std::move(picture));
    if (!results) return GST_FLOW_FLUSHING;
    // Copies the buffer's header where the frame still waits for a model, never the picture.
    buffer.reset(gst_buffer_make_writable(buffer.release()));
    attach(buffer.get(), *results);
    return gst_pad_push(self->srcpad, buffer.release());
  });
}

static gboolean gst_tf_serving_classify_set_caps(GstTfServingClassify* self, GstEvent* event) {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  const auto format = gkv::frame_format(caps, self->state->running.lock()->jpeg_quality);
  if (!format) return FALSE;
  self->state->format = std::make_shared<const gkv::FrameFormat>(*format);
  return TRUE;
}

/// Says why a stream is about to be refused. The pad itself refuses most caps before the element's event function sees
/// them, and a query whether caps are accepted is no place for it: who asks may have another choice.
static GstPadProbeReturn tell_unreadable_caps(GstPad*, GstPadProbeInfo* info, gpointer element) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return GST_PAD_PROBE_OK;
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  if (gkv::frame_format(caps, kDefaultJpegQuality)) return GST_PAD_PROBE_OK;
  GST_ELEMENT_ERROR(element, STREAM, FORMAT,
                    ("tfservingclassify takes image/jpeg, and video/x-raw in %s; put videoconvert or jpegenc in front "
                     "of it.",
                     RAW_FORMATS),
                    ("the stream is %" GST_PTR_FORMAT, static_cast<gpointer>(caps)));
  return GST_PAD_PROBE_OK;
}

/// Asks who fills a pool for as many buffers more as are kept here, of one source: the newest frame, which waits, and
/// one that each model is asked about.
static void announce_kept_frames(GstQuery* query, guint models) {
  const guint kept = models + 1;
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  if (gst_query_get_n_allocation_pools(query) == 0) {
    GstVideoInfo info;
    if (!caps || !gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw")) return;
    if (!gst_video_info_from_caps(&info, caps)) return;
    gst_query_add_allocation_pool(query, nullptr, static_cast<guint>(GST_VIDEO_INFO_SIZE(&info)), kept, 0);
    return;
  }
  for (guint i = 0; i < gst_query_get_n_allocation_pools(query); ++i) {
    GstBufferPool* pool = nullptr;
    guint size = 0;
    guint min = 0;
    guint max = 0;
    gst_query_parse_nth_allocation_pool(query, i, &pool, &size, &min, &max);
    gst_query_set_nth_allocation_pool(query, i, pool, size, min + kept, max == 0 ? 0 : max + kept);
    if (pool) gst_object_unref(pool);
  }
}

static gboolean gst_tf_serving_classify_sink_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  const gboolean answered = gst_pad_query_default(pad, parent, query);
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) return answered;
  const guint models = GST_TF_SERVING_CLASSIFY(parent)->state->running.lock()->models;
  if (models == 0) return answered;
  announce_kept_frames(query, models);
  return answered || gst_query_get_n_allocation_pools(query) > 0;
}

static gboolean gst_tf_serving_classify_sink_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  auto* self = GST_TF_SERVING_CLASSIFY(parent);
  const auto classifier = self->state->running.lock()->classifier;
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS:
      if (!gst_tf_serving_classify_set_caps(self, event)) {
        gst_event_unref(event);
        return FALSE;
      }
      break;
    case GST_EVENT_FLUSH_START:
      if (classifier) classifier->interrupt();
      break;
    case GST_EVENT_FLUSH_STOP:
      if (classifier) classifier->resume();
      break;
    default: break;
  }
  return gst_pad_event_default(pad, parent, event);
}

static void gst_tf_serving_classify_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  const auto text = [value] {
    const gchar* string = g_value_get_string(value);
    return std::string(string ? string : "");
  };
  auto settings = GST_TF_SERVING_CLASSIFY(object)->state->settings.lock();
  switch (id) {
    case kModelUrls: settings->model_urls = text(); break;
    case kLabelUrls: settings->label_urls = text(); break;
    case kMode: settings->mode = static_cast<Mode>(g_value_get_enum(value)); break;
    case kTimeout: settings->timeout_ms = g_value_get_uint(value); break;
    case kJpegQuality: settings->jpeg_quality = g_value_get_int(value); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void gst_tf_serving_classify_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  auto settings = GST_TF_SERVING_CLASSIFY(object)->state->settings.lock();
  switch (id) {
    case kModelUrls: g_value_set_string(value, settings->model_urls.c_str()); break;
    case kLabelUrls: g_value_set_string(value, settings->label_urls.c_str()); break;
    case kMode: g_value_set_enum(value, settings->mode); break;
    case kTimeout: g_value_set_uint(value, settings->timeout_ms); break;
    case kJpegQuality: g_value_set_int(value, settings->jpeg_quality); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void add_pads(GstTfServingClassify* self) {
  auto* klass = GST_ELEMENT_GET_CLASS(self);
  self->sinkpad = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "sink"), "sink");
  self->srcpad = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "src"), "src");
  gst_pad_set_chain_function(self->sinkpad, gst_tf_serving_classify_chain);
  gst_pad_set_event_function(self->sinkpad, gst_tf_serving_classify_sink_event);
  gst_pad_set_query_function(self->sinkpad, gst_tf_serving_classify_sink_query);
  gst_pad_add_probe(self->sinkpad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, tell_unreadable_caps, self, nullptr);
  for (GstPad* pad : {self->sinkpad, self->srcpad}) {
    GST_PAD_SET_PROXY_CAPS(pad);
    GST_PAD_SET_PROXY_ALLOCATION(pad);
    GST_PAD_SET_PROXY_SCHEDULING(pad);
    gst_element_add_pad(GST_ELEMENT(self), pad);
  }
}

static void gst_tf_serving_classify_init(GstTfServingClassify* self) {
  self->state = new TfServingClassifyState;
  add_pads(self);
}

static void gst_tf_serving_classify_finalize(GObject* object) {
  delete GST_TF_SERVING_CLASSIFY(object)->state;
  G_OBJECT_CLASS(gst_tf_serving_classify_parent_class)->finalize(object);
}

static void install_properties(GObjectClass* object) {
  constexpr auto kFlags = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      object, kModelUrls,
      g_param_spec_string(
          "model-urls", "Model URLs",
          "Models to ask: one URL http(s)://HOST:8501/v1/models/MODEL[/versions/N|/labels/L]:predict, or "
          "a JSON object of model name to URL, whose order is that of the results",
          "", kFlags));
  g_object_class_install_property(
      object, kLabelUrls,
      g_param_spec_string(
          "label-urls", "Label URLs",
          "Names of the classes: one path, file:// or http(s):// URL for all models, or a JSON object of "
          "model name to one. A label file is a JSON object of index to label, a JSON array of labels, "
          "or one label a line (empty: a label is the class's number)",
          "", kFlags));
  g_object_class_install_property(object, kMode,
                                  g_param_spec_enum("mode", "Mode", "Whether frames wait for the models",
                                                    GST_TYPE_TF_SERVING_CLASSIFY_MODE, kAsync, kFlags));
  g_object_class_install_property(object, kTimeout,
                                  g_param_spec_uint("timeout", "Time-out",
                                                    "How long a model has to answer a request, in ms; after it the "
                                                    "request has failed",
                                                    1, G_MAXINT, kDefaultTimeoutMs, kFlags));
  g_object_class_install_property(
      object, kJpegQuality,
      g_param_spec_int("jpeg-quality", "JPEG quality",
                       "Quality of the JPEG that is made of a raw frame, 1 to 100; a JPEG frame is sent as it is", 1,
                       100, kDefaultJpegQuality, kFlags));
}

static void gst_tf_serving_classify_class_init(GstTfServingClassifyClass* klass) {
  GST_DEBUG_CATEGORY_INIT(tf_serving_classify_debug, "tfservingclassify", 0, "TensorFlow Serving client");

  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = gst_tf_serving_classify_set_property;
  object->get_property = gst_tf_serving_classify_get_property;
  object->finalize = gst_tf_serving_classify_finalize;
  install_properties(object);

  static const char* const kCaps = "image/jpeg; " GST_VIDEO_CAPS_MAKE("{ " RAW_FORMATS " }");
  static GstStaticPadTemplate sink = {"sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(kCaps)};
  static GstStaticPadTemplate src = {"src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(kCaps)};
  auto* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element, &sink);
  gst_element_class_add_static_pad_template(element, &src);
  gst_element_class_set_static_metadata(
      element, "TensorFlow Serving client", "Filter/Analyzer/Video",
      "Asks models behind TensorFlow Serving what a frame shows, and attaches their "
      "answers to the frames (ClassificationMeta), e.g. videotestsrc is-live=true ! jpegenc ! "
      "tfservingclassify model-urls=http://localhost:8501/v1/models/patterns:predict "
      "! fakesink",
      "gst-kafka-vision contributors");
  gst_type_mark_as_plugin_api(GST_TYPE_TF_SERVING_CLASSIFY_MODE, GstPluginAPIFlags(0));
  element->change_state = gst_tf_serving_classify_change_state;
}
