/*
 * shared-epoll-lt: one epoll with the listener in it, made before the forks; all workers wait in
 * it.
 *
 * A connection wakes one of them, the one that went to sleep last. But a level-triggered listener
 * is put back on the ready list before epoll_wait(2) returns, and the list is not empty then: so
 * the kernel wakes the next worker, who finds the connection there or gone. The chain ends with the
 * first that finds nothing: two or three wake-ups, however many workers there are.
 *
 * epoll(7), epoll_wait(2).
 */
#include <sys/epoll.h>

#include "lab/strategies/shared_epoll.h"
#include "lab/strategies/strategies.h"

static int prepare(struct arena *arena)
{
    return shared_epoll_open(arena, EPOLLIN);
}

const struct strategy strategy_shared_epoll_lt = {
    .name = "shared-epoll-lt",
    .teaches = "one epoll for all: a chain of two or three wake-ups, however many wait; the last "
               "to sleep is the first to work",
    .doors = DOORS_SHARED,
    .prepare = prepare,
    .run = shared_epoll_run,
    .release = shared_epoll_close,
};
