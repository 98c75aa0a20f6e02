/* Runs a pipeline text to its end and measures what passes the sink pad of its only sink.
 *
 * usage: bench-pipeline [-w WARM-UP] [-a] [-c] [-p PAUSE-MS] [-i STALL-AFTER] [-d STALL-MS] PIPELINE
 *   -a  print each buffer's arrival, instead of the cost of all after the warm-up
 *   -c  give each buffer the time at which it comes to the sink as its capture time
 *   -p  take so long with each buffer
 *   -i  take STALL-MS once, with the buffer of this number
 */
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "measurement.h"

struct run {
  long warm_up;
  gboolean arrivals, capture;
  gulong pause_us, stall_us;
  long stall_after;
  long buffers;
  GstCaps *unix_time;
  struct measurement measurement;
};

static void die(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static void print_buffer(const struct run *run, GstBuffer *buffer) {
  const int64_t arrived_ns = unix_ns();
  const GstReferenceTimestampMeta *captured = gst_buffer_get_reference_timestamp_meta(buffer, run->unix_time);
  GstCustomMeta *frame = gst_buffer_get_custom_meta(buffer, "KafkaFrameMeta");
  const gchar *source = frame ? gst_structure_get_string(gst_custom_meta_get_structure(frame), "source") : NULL;
  if (!source) source = "";
  print_arrival(arrived_ns, captured ? (int64_t)captured->timestamp : 0, source, (int)strlen(source));
}

static GstPadProbeReturn on_buffer(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  (void)pad;
  struct run *run = data;
  if (run->buffers++ == run->warm_up) measurement_begin(&run->measurement);
  if (run->capture) {
    GstBuffer *buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
    gst_buffer_add_reference_timestamp_meta(buffer, run->unix_time, (GstClockTime)unix_ns(), GST_CLOCK_TIME_NONE);
    info->data = buffer;
  }
  if (run->arrivals) print_buffer(run, GST_PAD_PROBE_INFO_BUFFER(info));
  if (run->pause_us) g_usleep(run->pause_us);
  if (run->buffers == run->stall_after) g_usleep(run->stall_us);
  return GST_PAD_PROBE_OK;
}

static void watch_sink(GstBin *pipeline, struct run *run) {
  GstIterator *sinks = gst_bin_iterate_sinks(pipeline);
  GValue value = G_VALUE_INIT;
  if (gst_iterator_next(sinks, &value) != GST_ITERATOR_OK) die("The pipeline", "has no sink");
  GstPad *pad = gst_element_get_static_pad(g_value_get_object(&value), "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, run, NULL);
  gst_object_unref(pad);
  g_value_unset(&value);
  gst_iterator_free(sinks);
}

static void run_to_its_end(GstElement *pipeline) {
  GstBus *bus = gst_element_get_bus(pipeline);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstMessage *message = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError *error;
    gst_message_parse_error(message, &error, NULL);
    die("The pipeline", error->message);
  }
  gst_message_unref(message);
  gst_object_unref(bus);
}

int main(int argc, char **argv) {
  gst_init(NULL, NULL);
  struct run run = {.unix_time = gst_caps_new_empty_simple("timestamp/x-unix")};
  int option;
  while ((option = getopt(argc, argv, "w:acp:i:d:")) != -1) {
    switch (option) {
      case 'w': run.warm_up = positive("-w", optarg); break;
      case 'a': run.arrivals = TRUE; break;
      case 'c': run.capture = TRUE; break;
      case 'p': run.pause_us = (gulong)positive("-p", optarg) * 1000; break;
      case 'i': run.stall_after = positive("-i", optarg); break;
      case 'd': run.stall_us = (gulong)positive("-d", optarg) * 1000; break;
      default: return 2;
    }
  }
  if (argc - optind != 1) die("usage", "bench-pipeline [OPTION]… PIPELINE");
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch(argv[optind], &error);
  if (!pipeline || error) die("The pipeline", error->message);
  watch_sink(GST_BIN(pipeline), &run);
  run_to_its_end(pipeline);
  if (!run.arrivals) measurement_end(&run.measurement, run.buffers - run.warm_up);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  gst_caps_unref(run.unix_time);
  return 0;
}
