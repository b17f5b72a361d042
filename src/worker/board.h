/*
 * board - what the workers have done, in memory that the master shares with them.
 *
 * One row a worker, and one writer a row: a slot may have a worker that leaves beside its present
 * one. The counters outlive the worker: whoever gets the row next goes on counting. Readers may see
 * a row between two of its counters' changes, never a torn counter.
 */
#ifndef DROVER_WORKER_BOARD_H
#define DROVER_WORKER_BOARD_H

#include <drover.h>
#include <stdint.h>

#include "base/limits.h"

/* Its own cache lines, so that two workers never write to the same one. */
struct board_row {
    uint64_t accepted;    /* connections, ever */
    uint64_t requests;    /* answered, ever, refused ones too */
    uint64_t connections; /* open now */
    uint64_t busy_since;  /* when its turn began, as clock_ms(); 0 while it waits for events */
    uint64_t is_paused;   /* 1 while it accepts nothing: it is full, or lacks descriptors */
    uint64_t of_app[DROVER_METRICS_MAX];
} __attribute__((aligned(128)));

/* Workers at most, those that leave included. */
#define BOARD_ROWS (4 * SLOTS_MAX)

/* What the master has seen of a slot's queues, all addresses together. */
struct board_slot {
    uint64_t queued; /* connections that wait to be accepted */
    uint64_t drops;  /* that found no room in the queue, ever; of addresses with defer=no alone,
                      * since  with it the kernel counts every client that has said nothing yet */
};

struct board {
    struct board_row rows[BOARD_ROWS];
    struct board_slot slots[SLOTS_MAX]; /* written by the master */
    uint64_t is_quiet; /* the same: nothing has moved, and it will not look for a while */
};

/* Zeroed and shared with every process that is forked from here on. NULL with errno set. */
struct board *board_open(void);
void board_close(struct board *board);

/* For the row's writer. Relaxed: nothing else is published by a counter. */
static inline void board_add(uint64_t *counter, int64_t n)
{
    __atomic_store_n(counter, *counter + (uint64_t)n, __ATOMIC_RELAXED);
}

static inline void board_set(uint64_t *counter, uint64_t value)
{
    __atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

/* For whoever has seen the row's writer end: its connections have ended with it, and so have the
 * gauges among the application's metrics, which may be NULL. */
void board_leave(struct board_row *row, const struct drover_metric *metrics);

/* All rows added up. */
struct board_row board_sum(const struct board *board);

#endif
