#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measurement.h"

void die(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value) {
  char why[512];
  if (rd_kafka_conf_set(conf, key, value, why, sizeof why) != RD_KAFKA_CONF_OK) die(key, why);
}

static void set_pair(rd_kafka_conf_t *conf, char *pair) {
  char *value = strchr(pair, '=');
  if (!value) die(pair, "is not of the form KEY=VALUE");
  *value = '\0';
  set(conf, pair, value + 1);
}

struct options parse_options(int argc, char **argv) {
  struct options options = {.conf = rd_kafka_conf_new(), .bytes = 1, .sources = 1, .in_flight = 32};
  int option;
  while ((option = getopt(argc, argv, "X:w:r:b:s:f:p:an")) != -1) {
    switch (option) {
      case 'X': set_pair(options.conf, optarg); break;
      case 'w': options.warm_up = positive("-w", optarg); break;
      case 'r': options.rate = (double)positive("-r", optarg); break;
      case 'b': options.bytes = positive("-b", optarg); break;
      case 's': options.sources = (int)positive("-s", optarg); break;
      case 'f': options.in_flight = (int)positive("-f", optarg); break;
      case 'p': options.pause_ms = (int)positive("-p", optarg); break;
      case 'a': options.arrivals = 1; break;
      case 'n': options.reassign = 1; break;
      default: exit(2);
    }
  }
  if (argc - optind != 3) {
    fprintf(stderr, "usage: %s [-X KEY=VALUE]… [OPTION]… BROKERS TOPIC COUNT\n", argv[0]);
    exit(2);
  }
  options.brokers = argv[optind];
  options.topic = argv[optind + 1];
  options.count = positive("COUNT", argv[optind + 2]);
  return options;
}

rd_kafka_t *new_client(const struct options *options, rd_kafka_type_t type) {
  char why[512];
  set(options->conf, "bootstrap.servers", options->brokers);
  rd_kafka_t *client = rd_kafka_new(type, options->conf, why, sizeof why);
  if (!client) die("librdkafka", why);
  return client;
}
