/**
 * SECTION:element-textoverlaylabels
 * @title: textoverlaylabels
 * @short_description: draws the labels that models gave a frame
 *
 * Draws the results that a frame carries as `ClassificationMeta` (see tfservingclassify and kafkasrc) into its pixels,
 * in place: one line `model : label` for each model, in the order of the results, "Nothing" while a model has not
 * answered yet. A frame without results passes untouched.
 *
 * ## Example
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! tfservingclassify
 * model-urls=http://localhost:8501/v1/models/patterns:predict ! textoverlaylabels ! videoconvert ! autovideosink
 * ]|
 * Asks a TensorFlow Serving model about the picture and shows its newest answer on it.
 */
#include "gsttextoverlaylabels.h"

#include <string>
#include <vector>

#include "common/frame/gstframemeta.h"
#include "common/glue/guarded.h"
#include "common/glue/reporting_failure.h"
#include "gstvideoplanes.h"
#include "label_lines.h"
#include "label_mask.h"
#include "paint.h"

GST_DEBUG_CATEGORY_STATIC(text_overlay_labels_debug);
#define GST_CAT_DEFAULT text_overlay_labels_debug

namespace {

constexpr guint kDefaultColor = 0xffc89632;  ///< RGB (200, 150, 50), opaque
constexpr double kMaximumScale = 100;
constexpr int kMaximumThickness = 100;

/// What the properties say; each frame is drawn with the newest.
struct Settings {
  guint color = kDefaultColor;  ///< 0xAARRGGBB
  gkv::LabelStyle style;
};

enum Property { kColor = 1, kScale, kThickness };

}  // namespace

struct TextOverlayLabelsState {
  gkv::Guarded<Settings> settings;
  std::vector<std::string> lines;  ///< of the frame that is being worked on; streaming thread only
  gkv::LabelMask mask;             ///< streaming thread only
};

struct _GstTextOverlayLabels {
  GstVideoFilter parent;
  TextOverlayLabelsState* state;  ///< C++ members live here: new in init, delete in finalize.
};

G_DEFINE_TYPE(GstTextOverlayLabels, gst_text_overlay_labels, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE(textoverlaylabels, "textoverlaylabels", GST_RANK_NONE, GST_TYPE_TEXT_OVERLAY_LABELS)

/// Decides here, before the base class makes a read-only buffer writable by a copy, whether there is anything to draw.
static GstFlowReturn gst_text_overlay_labels_prepare_output_buffer(GstBaseTransform* base, GstBuffer* input,
                                                                   GstBuffer** output) {
  auto* state = GST_TEXT_OVERLAY_LABELS(base)->state;
  return gkv::reporting_failure(base, GST_FLOW_ERROR, [&] {
    state->lines = gkv::label_lines(gkv::classifications(input));
    if (state->lines.empty()) {
      *output = input;
      return GST_FLOW_OK;
    }
    auto* parent = GST_BASE_TRANSFORM_CLASS(gst_text_overlay_labels_parent_class);
    return parent->prepare_output_buffer(base, input, output);
  });
}

/// A frame without text is not even mapped.
static GstFlowReturn gst_text_overlay_labels_transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  if (GST_TEXT_OVERLAY_LABELS(base)->state->lines.empty()) return GST_FLOW_OK;
  return GST_BASE_TRANSFORM_CLASS(gst_text_overlay_labels_parent_class)->transform_ip(base, buffer);
}

static GstFlowReturn gst_text_overlay_labels_transform_frame_ip(GstVideoFilter* filter, GstVideoFrame* frame) {
  auto* state = GST_TEXT_OVERLAY_LABELS(filter)->state;
  return gkv::reporting_failure(filter, GST_FLOW_ERROR, [&] {
    const Settings settings = state->settings.snapshot();
    const cv::Size size(GST_VIDEO_FRAME_WIDTH(frame), GST_VIDEO_FRAME_HEIGHT(frame));
    if (state->mask.update(state->lines, settings.style, size)) {
      GST_LOG_OBJECT(filter, "drew %zu lines anew, the first is \"%s\"", state->lines.size(),
                     state->lines.front().c_str());
    }
    const auto opacity = static_cast<std::uint8_t>(settings.color >> 24);
    for (const gkv::Plane& plane : gkv::video_planes(*frame, settings.color & 0xffffff)) {
      gkv::paint(state->mask, plane, opacity);
    }
    return GST_FLOW_OK;
  });
}

static void gst_text_overlay_labels_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  auto settings = GST_TEXT_OVERLAY_LABELS(object)->state->settings.lock();
  switch (id) {
    case kColor: settings->color = g_value_get_uint(value); break;
    case kScale: settings->style.scale = g_value_get_double(value); break;
    case kThickness: settings->style.thickness = g_value_get_int(value); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void gst_text_overlay_labels_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  auto settings = GST_TEXT_OVERLAY_LABELS(object)->state->settings.lock();
  switch (id) {
    case kColor: g_value_set_uint(value, settings->color); break;
    case kScale: g_value_set_double(value, settings->style.scale); break;
    case kThickness: g_value_set_int(value, settings->style.thickness); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void gst_text_overlay_labels_init(GstTextOverlayLabels* self) {
  self->state = new TextOverlayLabelsState;
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

static void gst_text_overlay_labels_finalize(GObject* object) {
  delete GST_TEXT_OVERLAY_LABELS(object)->state;
  G_OBJECT_CLASS(gst_text_overlay_labels_parent_class)->finalize(object);
}

static void install_properties(GObjectClass* object) {
  constexpr auto kFlags = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
  constexpr gkv::LabelStyle kDefaultStyle;
  g_object_class_install_property(
      object, kColor,
      g_param_spec_uint("color", "Color", "Colour of the text as 0xAARRGGBB (0xFFC89632: red 200, green 150, blue 50)",
                        0, G_MAXUINT32, kDefaultColor, kFlags));
  g_object_class_install_property(
      object, kScale,
      g_param_spec_double("scale", "Scale",
                          "Size of the text and distance of the lines, in multiples of the font's own size "
                          "(1.2: 12 pixels high, a line each 20 pixels)",
                          gkv::LabelStyle::kMinimumScale, kMaximumScale, kDefaultStyle.scale, kFlags));
  g_object_class_install_property(object, kThickness,
                                  g_param_spec_int("thickness", "Thickness", "Thickness of the strokes in pixels", 1,
                                                   kMaximumThickness, kDefaultStyle.thickness, kFlags));
}

static void gst_text_overlay_labels_class_init(GstTextOverlayLabelsClass* klass) {
  GST_DEBUG_CATEGORY_INIT(text_overlay_labels_debug, "textoverlaylabels", 0, "label overlay");

  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = gst_text_overlay_labels_set_property;
  object->get_property = gst_text_overlay_labels_get_property;
  object->finalize = gst_text_overlay_labels_finalize;
  install_properties(object);

  static const char* const kCaps = GST_VIDEO_CAPS_MAKE(
      "{ BGR, RGB, BGRx, RGBx, xRGB, xBGR, BGRA, RGBA, ARGB, ABGR, GRAY8, I420, YV12, NV12, NV21, Y444 }");
  static GstStaticPadTemplate sink = {"sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(kCaps)};
  static GstStaticPadTemplate src = {"src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(kCaps)};
  auto* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element, &sink);
  gst_element_class_add_static_pad_template(element, &src);
  gst_element_class_set_static_metadata(
      element, "Label overlay", "Filter/Effect/Video",
      "Draws the labels that models gave a frame (ClassificationMeta) into the "
      "picture, one line for each model, e.g. videotestsrc is-live=true ! "
      "tfservingclassify model-urls=http://localhost:8501/v1/models/patterns:predict ! textoverlaylabels ! fakesink",
      "gst-kafka-vision contributors");

  auto* transform = GST_BASE_TRANSFORM_CLASS(klass);
  transform->prepare_output_buffer = gst_text_overlay_labels_prepare_output_buffer;
  transform->transform_ip = gst_text_overlay_labels_transform_ip;
  GST_VIDEO_FILTER_CLASS(klass)->transform_frame_ip = gst_text_overlay_labels_transform_frame_ip;
}
