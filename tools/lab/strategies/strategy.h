/*
 * strategy - one way for several workers to share the clients of one address: who is woken for a
 * new connection, and who accepts it.
 *
 * A strategy is one file in strategies/ and one line in strategies.c. What it need not do it leaves
 * NULL; the functions are called in this order:
 *
 *   lacks                         in the supervisor
 *   prepare                       in the supervisor, the listeners are open, no worker is
 *   open, run                     in each worker; the next one is started when this one is about
 *                                 to wait, so that registrations have the order of the slots
 *   dispatch                      in one more process, after the last worker
 *   on_stall, on_end              in the supervisor, when it learns of it
 *   release                       in the supervisor, after the last worker
 */
#ifndef DROVER_LAB_STRATEGIES_STRATEGY_H
#define DROVER_LAB_STRATEGIES_STRATEGY_H

#include <stdbool.h>
#include <stddef.h>

#include "lab/trial/arena.h"
#include "lab/trial/worker.h"

enum strategy_doors {
    DOORS_SHARED, /* one listener, that all workers have inherited */
    DOORS_OWN,    /* one each, of a SO_REUSEPORT group */
};

struct strategy {
    const char *name;
    const char *teaches; /* one line, for `drover-lab list` */
    enum strategy_doors doors;
    bool is_blocking; /* the listeners are in blocking mode */
    bool drains;      /* what DRAIN_DEFAULT is */
    bool takes_one;   /* it cannot drain: DRAIN_YES is refused */
    bool drains_only; /* it cannot take one alone: DRAIN_NO is refused */

    /* Why this machine or this user cannot have it; NULL: it can. Static words. */
    const char *(*lacks)(void);

    /* What all workers share is made here and kept in arena->shared. -1 with errno set. */
    int (*prepare)(struct arena *arena);

    /* Registers at the listener. What it needs from then on is in worker->own. -1 with errno. */
    int (*open)(struct lab_worker *worker);

    /* Waits and takes connections until the process is killed; returns only when it fails, with
     * errno set. lab_worker_ready() is due before the first wait. */
    void (*run)(struct lab_worker *worker);

    /* This connection, which waits for its next request, is to be waited for from now on: see
     * lab_worker_serve(). Returns 0 or -1 with errno set. NULL: a worker waits for one client at a
     * time, and serves it to its end. */
    int (*watch)(struct lab_worker *worker, int fd);

    /* It is about to be closed. NULL: closing it is enough, as it is for epoll. */
    void (*unwatch)(struct lab_worker *worker, int fd);

    /* Accepts for all workers, and passes the connections on over arena->channels; returns only
     * when it fails, with errno set. Calls lab_worker_ready() with a row of its own. */
    void (*dispatch)(struct arena *arena, struct tally *row);

    /* A worker makes no progress any more, or makes it again. */
    void (*on_stall)(struct arena *arena, unsigned slot, bool is_stalled);

    /* A worker has ended; its successor is not started yet. */
    void (*on_end)(struct arena *arena, unsigned slot);

    void (*release)(struct arena *arena);
};

/* All of them, in the order of the lists; the last one is NULL. */
extern const struct strategy *const strategies[];

/* NULL if there is none of that name. */
const struct strategy *strategy_find(const char *name);

#endif
