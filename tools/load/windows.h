/*
 * windows - what happened in each stretch of time of a run, all equally long.
 *
 * A request counts in the window in which its end became known. One histogram serves all, since
 * time only goes on: a window that is over keeps its figures alone.
 */
#ifndef DROVER_LOAD_WINDOWS_H
#define DROVER_LOAD_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/histogram.h"
#include "load/ledger.h"

struct window {
    uint64_t answered;
    uint64_t lost;
    uint64_t p50_us, p99_us, max_us; /* of the answered ones; 0 where there are none */
};

struct windows {
    int64_t length_us;   /* 0: none are kept */
    struct window *list; /* owned; those that are over, in order, without gaps */
    size_t count;

    /* private */
    size_t room;
    bool failed;
    uint64_t lost; /* of the present window */
    struct histogram latency;
};

void windows_init(struct windows *windows, int64_t length_us);
void windows_free(struct windows *windows);

/* Times must not go back from one call to the next. */
void windows_add(struct windows *windows, enum outcome outcome, int64_t at_us, int64_t latency_us);

/* The run is over: so is the last window. Returns -1 with ENOMEM when there was no room for all. */
int windows_end(struct windows *windows);

#endif
