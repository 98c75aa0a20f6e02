#pragma once

#include <stdint.h>

/* What a run costs, from the message after its warm-up to its last one. */
struct measurement {
  double began_at, cpu_at_begin;
};

/* Unix time, ns. */
int64_t unix_ns(void);

/* Whether `text` is a whole number above 0; ends the program with a sentence when it is not. */
long positive(const char *name, const char *text);

void measurement_begin(struct measurement *measurement);

/* Prints {"messages": …, "seconds": …, "cpu_seconds": …, "rss_bytes": …} as one line; CPU time is that of all threads.
 */
void measurement_end(const struct measurement *measurement, long messages);

/* Prints {"arrived_ns": …, "captured_ns": …, "source": "…"} as one line; times are Unix times. */
void print_arrival(int64_t arrived_ns, int64_t captured_ns, const char *source, int source_size);
