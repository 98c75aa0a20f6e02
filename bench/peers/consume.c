/* The least that reads frames from Kafka with librdkafka: the peer of kafkasrc, with the same configuration. It looks
 * at each header. It reads from the beginning of the topic's only partition, with -a and -n from its end.
 *
 * usage: bench-consume [-X KEY=VALUE]… [-w WARM-UP] [-a] [-n] [-p PAUSE-MS] BROKERS TOPIC COUNT
 *   -a  print each message's arrival
 *   -n  look for the newest message anew each time, as the predecessor does: ask for the end, assign, read one
 *   -p  take so long with each message
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "measurement.h"

enum { TIMEOUT_MS = 10000 };

struct frame_facts {
  const char *source;
  int source_size;
  int64_t captured_ns;
};

static int64_t to_unix_ns(const char *rfc3339) {
  struct tm utc = {0};
  const char *fraction = strptime(rfc3339, "%Y-%m-%dT%H:%M:%S", &utc);
  return (int64_t)timegm(&utc) * 1000000000 + strtol(fraction + 1, NULL, 10);
}

static struct frame_facts read_headers(const rd_kafka_message_t *message) {
  struct frame_facts facts = {.source = "", .source_size = 0};
  rd_kafka_headers_t *headers;
  if (rd_kafka_message_headers(message, &headers)) return facts;
  const char *name;
  const void *value;
  size_t size;
  for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); ++i) {
    if (strcmp(name, "ce_source") == 0) {
      facts.source = value;
      facts.source_size = (int)size;
    } else if (strcmp(name, "ce_time") == 0) {
      facts.captured_ns = to_unix_ns(value);
    }
  }
  return facts;
}

static void assign(rd_kafka_t *client, const char *topic, int64_t offset) {
  rd_kafka_topic_partition_list_t *partitions = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(partitions, topic, 0)->offset = offset;
  if (rd_kafka_assign(client, partitions)) die(topic, "cannot be assigned");
  rd_kafka_topic_partition_list_destroy(partitions);
}

static int64_t end_of(rd_kafka_t *client, const char *topic) {
  int64_t low, high;
  const rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(client, topic, 0, &low, &high, TIMEOUT_MS);
  if (error) die(topic, rd_kafka_err2str(error));
  return high;
}

static rd_kafka_message_t *next(rd_kafka_t *client, const struct options *options) {
  if (options->reassign) {
    const int64_t end = end_of(client, options->topic);
    assign(client, options->topic, end > 0 ? end - 1 : 0);
  }
  rd_kafka_message_t *message = rd_kafka_consumer_poll(client, TIMEOUT_MS);
  if (!message) die(options->topic, "no message came");
  if (message->err) die(options->topic, rd_kafka_message_errstr(message));
  return message;
}

int main(int argc, char **argv) {
  const struct options options = parse_options(argc, argv);
  rd_kafka_t *client = new_client(&options, RD_KAFKA_CONSUMER);
  rd_kafka_poll_set_consumer(client);
  const int64_t end = end_of(client, options.topic);
  assign(client, options.topic, options.arrivals ? end : 0);

  struct measurement measurement;
  for (long i = 0; i < options.warm_up + options.count; ++i) {
    if (i == options.warm_up) measurement_begin(&measurement);
    rd_kafka_message_t *message = next(client, &options);
    const struct frame_facts facts = read_headers(message);
    if (options.arrivals) print_arrival(unix_ns(), facts.captured_ns, facts.source, facts.source_size);
    if (options.pause_ms) usleep((useconds_t)options.pause_ms * 1000);
    rd_kafka_message_destroy(message);
  }
  if (!options.arrivals) measurement_end(&measurement, options.count);

  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
  return 0;
}
