/*
 * select: each worker waits in select(2) for one listener and for the connections that it keeps.
 *
 * All of poll's herd, and an end: a set has FD_SETSIZE bits, 1024, and a descriptor beyond that is
 * written over whatever follows the set. Here such a connection is refused. The set is rewritten by
 * every call, so it is copied before each.
 *
 * select(2).
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/select.h>

#include "lab/strategies/strategies.h"

struct set {
    fd_set watched, ready;
    int end; /* the highest descriptor + 1 */
};

static int watch(struct lab_worker *worker, int fd)
{
    struct set *set = worker->own;
    if (fd >= FD_SETSIZE) {
        errno = EMFILE;
        return -1;
    }
    FD_SET(fd, &set->watched);
    if (fd >= set->end)
        set->end = fd + 1;
    return 0;
}

static void unwatch(struct lab_worker *worker, int fd)
{
    struct set *set = worker->own;
    FD_CLR(fd, &set->watched);
}

static int open_set(struct lab_worker *worker)
{
    struct set *set = calloc(1, sizeof *set);
    if (!set)
        return -1;
    worker->own = set;
    return watch(worker, worker->door);
}

/* The listener is the last one: what it brings may have the number of one that was closed. */
static int serve(struct lab_worker *worker)
{
    const struct set *set = worker->own;
    for (int fd = 0; fd < set->end; fd++)
        if (fd != worker->door && FD_ISSET(fd, &set->ready))
            lab_worker_serve(worker, fd);
    return FD_ISSET(worker->door, &set->ready) ? lab_worker_take(worker, worker->door) : 0;
}

static void run(struct lab_worker *worker)
{
    struct set *set = worker->own;
    lab_worker_ready(worker->tally);
    for (;;) {
        set->ready = set->watched;
        int count = select(set->end, &set->ready, NULL, NULL, NULL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return;
        lab_worker_returned(worker);
        if (serve(worker) < 0)
            return;
    }
}

const struct strategy strategy_select = {
    .name = "select",
    .teaches = "the herd of poll, and an end at descriptor 1024",
    .doors = DOORS_SHARED,
    .open = open_set,
    .run = run,
    .watch = watch,
    .unwatch = unwatch,
};
