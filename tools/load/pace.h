/*
 * pace - when requests are due: in an open loop one follows the other at a steady rate, whatever
 * becomes of those before it; in a closed loop each is due when a client is free for it.
 *
 * Pure: time comes in as microseconds of any one clock.
 */
#ifndef DROVER_LOAD_PACE_H
#define DROVER_LOAD_PACE_H

#include <stdint.h>

/* The highest rate, a minute: 10 million a second. With more, a pace of years would overflow. */
#define PACE_RATE_MAX (UINT64_C(600) * 1000 * 1000)

struct pace {
    uint64_t per_minute; /* 0: a closed loop */
    int64_t start_us;    /* request 0 is due then */
};

/* When request number n, counted from 0, is due. In a closed loop: now. */
int64_t pace_due(const struct pace *pace, uint64_t n, int64_t now_us);

/* How many requests are due before that time; UINT64_MAX in a closed loop. */
uint64_t pace_count(const struct pace *pace, int64_t before_us);

/* Microseconds between two requests, 0 in a closed loop or when it is less than one. */
int64_t pace_gap(const struct pace *pace);

#endif
