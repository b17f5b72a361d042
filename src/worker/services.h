/*
 * services - what a worker does for its application beside serving: timers, watched descriptors,
 * posts of other threads, and counters. drover.h calls it a worker.
 */
#ifndef DROVER_WORKER_SERVICES_H
#define DROVER_WORKER_SERVICES_H

#include <drover.h>
#include <stdint.h>

#include "os/loop.h"
#include "worker/board.h"
#include "worker/mailbox.h"
#include "worker/timers.h"

struct watched;

struct drover_worker {
    const struct drover_app *app; /* borrowed */
    /* Of several applications each has one of these; this is the one whose loop, time, timers and
     * posts all share. services_open() makes it itself. */
    struct drover_worker *main;
    const struct drover_metric *metrics; /* of all applications; borrowed; NULL: there are none */
    unsigned metrics_at;                 /* where this one's begin */
    struct loop *loop;                   /* borrowed */
    const struct board *board;           /* of all workers; borrowed */
    struct board_row *row;               /* this one's; borrowed */
    int64_t now;                         /* of this turn, as clock_ms() */
    uint64_t turn;                       /* its number */
    struct timers timers;
    struct mailbox mailbox;
    /* Called before the application is, in the midst of a turn; NULL: there is nothing to be done.
     */
    void (*before_call)(void *context);
    void *before_context;
    void *attached;          /* the application's own */
    int64_t warned_at;       /* when a metric that there is not was last told, as `now`; 0: never */
    struct watched *watched; /* what the applications have told to watch */
};

/* The pointers, and the time, are the caller's to fill in first. Returns -1 with errno set. */
int services_open(struct drover_worker *worker);
void services_close(struct drover_worker *worker);

#endif
