#include "measurement.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(const struct timeval *time) { return (double)time->tv_sec + (double)time->tv_usec / 1e6; }

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime);
}

static double monotonic_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long resident_bytes(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file) {
    if (fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    fclose(file);
  }
  return pages * sysconf(_SC_PAGESIZE);
}

int64_t unix_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

long positive(const char *name, const char *text) {
  char *end = NULL;
  const long value = strtol(text, &end, 10);
  if (value > 0 && *end == '\0') return value;
  fprintf(stderr, "%s must be a whole number above 0, not %s.\n", name, text);
  exit(2);
}

void measurement_begin(struct measurement *measurement) {
  measurement->began_at = monotonic_seconds();
  measurement->cpu_at_begin = cpu_seconds();
}

void measurement_end(const struct measurement *measurement, long messages) {
  printf("{\"messages\": %ld, \"seconds\": %.6f, \"cpu_seconds\": %.6f, \"rss_bytes\": %ld}\n", messages,
         monotonic_seconds() - measurement->began_at, cpu_seconds() - measurement->cpu_at_begin, resident_bytes());
  fflush(stdout);
}

void print_arrival(int64_t arrived_ns, int64_t captured_ns, const char *source, int source_size) {
  printf("{\"arrived_ns\": %" PRId64 ", \"captured_ns\": %" PRId64 ", \"source\": \"%.*s\"}\n", arrived_ns, captured_ns,
         source_size, source);
  fflush(stdout);
}
