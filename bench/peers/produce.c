/* The least that writes frames to Kafka with librdkafka: the peer of kafkasink, with the same configuration, headers
 * and number of unacknowledged messages.
 *
 * usage: bench-produce [-X KEY=VALUE]… [-w WARM-UP] [-b BYTES] [-r RATE] [-s SOURCES] [-f IN-FLIGHT]
 *                      BROKERS TOPIC COUNT
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "measurement.h"

#define RUN_ID "5f0c9a52-0f3e-4f6c-8f8e-1d2c3b4a5f60"
#define MEDIA_TYPE "video/x-raw"
/* As long as those of the pipeline that is measured. */
#define CAPS                                                                                    \
  MEDIA_TYPE                                                                                    \
      ", format=(string)GRAY8, width=(int)1000, height=(int)100, multiview-mode=(string)mono, " \
      "pixel-aspect-ratio=(fraction)1/1, interlace-mode=(string)progressive, framerate=(fraction)25/1"

static long in_flight;

static void on_report(rd_kafka_t *client, const rd_kafka_message_t *report, void *opaque) {
  (void)client;
  (void)opaque;
  if (report->err) die("not delivered", rd_kafka_err2str(report->err));
  --in_flight;
}

static void add(rd_kafka_headers_t *headers, const char *name, const char *value) {
  rd_kafka_header_add(headers, name, -1, value, -1);
}

static void add_number(rd_kafka_headers_t *headers, const char *name, int64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%" PRId64, value);
  add(headers, name, text);
}

/* Those that kafkasink writes. */
static rd_kafka_headers_t *headers_of(const char *source, long number, long sequence, int64_t captured_ns) {
  rd_kafka_headers_t *headers = rd_kafka_headers_new(16);
  char text[64];
  add(headers, "content-type", MEDIA_TYPE);
  add(headers, "ce_specversion", "1.0");
  add(headers, "ce_type", "gst-kafka-vision.frame.v1");
  add(headers, "ce_source", source);
  snprintf(text, sizeof text, "%s-%ld", RUN_ID, number);
  add(headers, "ce_id", text);
  add(headers, "ce_stream", RUN_ID);
  add_number(headers, "ce_sequence", sequence);
  const time_t seconds = captured_ns / 1000000000;
  struct tm utc;
  const size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &utc));
  snprintf(text + length, sizeof text - length, ".%09ldZ", (long)(captured_ns % 1000000000));
  add(headers, "ce_time", text);
  add(headers, "ce_caps", CAPS);
  add_number(headers, "ce_pts", number * 40000000);
  add(headers, "ce_duration", "40000000");
  return headers;
}

static void produce(rd_kafka_t *client, rd_kafka_topic_t *topic, const struct options *options, const char *value,
                    long number) {
  char source[32];
  snprintf(source, sizeof source, "camera-%ld", number % options->sources);
  const int64_t captured_ns = unix_ns();
  rd_kafka_headers_t *headers = headers_of(source, number, number / options->sources, captured_ns);
  const rd_kafka_resp_err_t error =
      rd_kafka_producev(client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_MSGFLAGS(0),
                        RD_KAFKA_V_VALUE((void *)value, (size_t)options->bytes), RD_KAFKA_V_KEY(source, strlen(source)),
                        RD_KAFKA_V_TIMESTAMP(captured_ns / 1000000), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
  if (error) die("not taken", rd_kafka_err2str(error));
  ++in_flight;
}

static void wait_for_turn(struct timespec *turn, double rate) {
  turn->tv_nsec += (long)(1e9 / rate);
  while (turn->tv_nsec >= 1000000000) {
    turn->tv_nsec -= 1000000000;
    ++turn->tv_sec;
  }
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, turn, NULL);
}

int main(int argc, char **argv) {
  struct options options = parse_options(argc, argv);
  rd_kafka_conf_set_dr_msg_cb(options.conf, on_report);
  rd_kafka_t *client = new_client(&options, RD_KAFKA_PRODUCER);
  rd_kafka_topic_t *topic = rd_kafka_topic_new(client, options.topic, NULL);
  char *value = malloc((size_t)options.bytes);
  memset(value, 'x', (size_t)options.bytes);

  struct measurement measurement;
  struct timespec turn;
  clock_gettime(CLOCK_MONOTONIC, &turn);
  for (long i = 0; i < options.warm_up + options.count; ++i) {
    if (i == options.warm_up) measurement_begin(&measurement);
    if (options.rate > 0) wait_for_turn(&turn, options.rate);
    produce(client, topic, &options, value, i);
    rd_kafka_poll(client, 0);
    while (in_flight >= options.in_flight) rd_kafka_poll(client, 100);
  }
  while (in_flight > 0) rd_kafka_poll(client, 100);
  measurement_end(&measurement, options.count);

  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(client);
  free(value);
  return 0;
}
