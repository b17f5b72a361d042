/*
 * histogram - how often each latency was seen, in microseconds, with a high dynamic range.
 *
 * Buckets are log-linear: one a microsecond below 256, above it 128 for every doubling, so a
 * quantile is at most 1/128 (0.8 %) too high and never too low. The last bucket ends at 134 s;
 * what took longer is counted there. The maximum is kept exactly.
 */
#ifndef DROVER_LOAD_HISTOGRAM_H
#define DROVER_LOAD_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 7 /* 128 buckets a doubling: 0.8 % */
#define HISTOGRAM_SUBS     (1U << HISTOGRAM_SUB_BITS)
#define HISTOGRAM_TOP_BITS 27 /* 2^27 us are 134 s */
#define HISTOGRAM_BUCKETS  ((HISTOGRAM_TOP_BITS - HISTOGRAM_SUB_BITS + 1) * HISTOGRAM_SUBS)

/* Zeroed: empty. */
struct histogram {
    uint64_t total;
    uint64_t max_us;
    uint64_t count[HISTOGRAM_BUCKETS];
};

/* A negative latency, which only a broken clock can give, counts as 0. */
void histogram_add(struct histogram *h, int64_t us);

/*
 * The latency that `permille` of 1000 values do not exceed: 500 is the median, 999 is p99.9.
 * 0 of an empty histogram.
 */
uint64_t histogram_quantile(const struct histogram *h, unsigned permille);

uint64_t histogram_max(const struct histogram *h);

#endif
