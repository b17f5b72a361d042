/*
 * metrics - a snapshot in the text format 0.0.4 of Prometheus: names by its conventions, base
 * units, HELP and TYPE of each family.
 *
 * Counters are of the server's life, and never go back in it: what is no part of the board is held
 * in a floor. Pure: a snapshot comes in, bytes come out.
 */
#ifndef DROVER_STATUS_METRICS_H
#define DROVER_STATUS_METRICS_H

#include "base/buf.h"
#include "status/snapshot.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The most that was told of what /proc counts: what a process had used is in a sum of its own once
 * it was reaped, by another clock. Zeroed at first. */
struct metrics_floor {
    uint64_t cpu_us, voluntary, involuntary;
};

void metrics_write(struct buf *to, const struct snapshot *snapshot, struct metrics_floor *floor);

#endif
