/*
 * epoll-exclusive: as epoll-lt, but each worker's entry in the listener's wait queue is an
 * exclusive one (EPOLLEXCLUSIVE, Linux 4.5).
 *
 * A connection wakes the first entry whose epoll has somebody asleep in it, and the walk ends
 * there. Entries stand in the order of their registration and stay where they are: under light load
 * the first worker gets everything. It is neither last-in-first-out, as one hears, nor round-robin.
 *
 * Who is stopped while it sleeps leaves the queue, and the next one gets its turns. But a wake-up
 * belongs to who got it: a worker that is stopped or ends between being woken and accepting leaves
 * the connection in the accept queue, and no sibling is woken for it. So the others have
 * to remove and add the listener again when a sharer ends; here they do not, to let it be seen.
 *
 * With EPOLLONESHOT or EPOLLRDHUP it is EINVAL, and so is EPOLL_CTL_MOD. epoll_ctl(2).
 */
#include <sys/epoll.h>

#include "lab/strategies/own_epoll.h"
#include "lab/strategies/strategies.h"

static int open_exclusive(struct lab_worker *worker)
{
    return own_epoll_open_door(worker, EPOLLIN | EPOLLEXCLUSIVE);
}

const struct strategy strategy_epoll_exclusive = {
    .name = "epoll-exclusive",
    .teaches = "EPOLLEXCLUSIVE wakes one: the first that registered, each time it is idle",
    .doors = DOORS_SHARED,
    .open = open_exclusive,
    .run = own_epoll_run,
    .watch = own_epoll_watch,
};
