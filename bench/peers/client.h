#pragma once

#include <librdkafka/rdkafka.h>

/* What produce and consume have alike on their command lines. */
struct options {
  rd_kafka_conf_t *conf; /* with the keys of each -X KEY=VALUE */
  const char *brokers, *topic;
  long warm_up; /* messages before the measured ones */
  long count;   /* messages to measure */
  double rate;  /* messages a second; 0: as many as go */
  long bytes;   /* of a message's value */
  int sources;
  int in_flight; /* messages that may be unacknowledged */
  int arrivals;  /* whether each message's arrival is printed instead of the cost */
  int reassign;  /* whether the newest message is looked for anew each time */
  int pause_ms;  /* time that each message takes */
};

/* Reads a command line; ends the program with a sentence when it is wrong. */
struct options parse_options(int argc, char **argv);

/* Makes a client; takes options->conf over. Ends the program when librdkafka refuses. */
rd_kafka_t *new_client(const struct options *options, rd_kafka_type_t type);

void die(const char *what, const char *why);
