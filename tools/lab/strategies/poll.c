/*
 * poll: each worker waits in poll(2) for one listener and for the connections that it keeps.
 *
 * The wait is not exclusive, so a connection wakes all workers that sleep, as with epoll-lt, and as
 * there most of them find nothing within the call and sleep on. And the whole set is passed to the
 * kernel and looked through by both sides at each call: the cost of a wake-up grows with what is
 * kept.
 *
 * poll(2).
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "lab/strategies/strategies.h"

/* The listener is the first one. */
struct set {
    struct pollfd *at;
    nfds_t count, room;
};

static int add(struct set *set, int fd)
{
    if (set->count == set->room) {
        nfds_t room = set->room ? 2 * set->room : 64;
        struct pollfd *at = realloc(set->at, room * sizeof *at);
        if (!at)
            return -1;
        set->at = at;
        set->room = room;
    }
    set->at[set->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    return 0;
}

static int open_set(struct lab_worker *worker)
{
    struct set *set = calloc(1, sizeof *set);
    if (!set)
        return -1;
    worker->own = set;
    return add(set, worker->door);
}

static int watch(struct lab_worker *worker, int fd)
{
    return add(worker->own, fd);
}

/* From the last one down: the last one takes the place of one that is closed, and new ones, that
 * the listener brings, are not looked at in this turn. */
static int serve(struct lab_worker *worker)
{
    struct set *set = worker->own;
    for (nfds_t i = set->count - 1; i > 0; i--)
        if (set->at[i].revents && !lab_worker_serve(worker, set->at[i].fd))
            set->at[i] = set->at[--set->count];
    return set->at[0].revents ? lab_worker_take(worker, worker->door) : 0;
}

static void run(struct lab_worker *worker)
{
    struct set *set = worker->own;
    lab_worker_ready(worker->tally);
    for (;;) {
        int count = poll(set->at, set->count, -1);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return;
        lab_worker_returned(worker);
        if (serve(worker) < 0)
            return;
    }
}

const struct strategy strategy_poll = {
    .name = "poll",
    .teaches = "the herd of epoll-lt, and the whole set to the kernel and back at every wake-up",
    .doors = DOORS_SHARED,
    .open = open_set,
    .run = run,
    .watch = watch,
};
