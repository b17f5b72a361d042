/*
 * epoll-exclusive-readd: as epoll-exclusive, but a worker removes the listener from its epoll and
 * adds it again after the first time it has accepted, and then every 16th: its entry goes to the
 * end of the wait queue, and it is the next one's turn. nginx does this.
 *
 * It is a rotation in portions of 16: few clients are still served by few workers. To change the
 * entry in place (EPOLL_CTL_MOD) is EINVAL. Whoever adds a listener that is readable is told of it
 * at once, so the moment between the two calls loses nothing.
 *
 * epoll_ctl(2).
 */
#include <sys/epoll.h>

#include "lab/strategies/own_epoll.h"
#include "lab/strategies/strategies.h"

/* Of nginx: the cost of two system calls, shared by as many turns. */
#define TURNS 16

static int open_exclusive(struct lab_worker *worker)
{
    return own_epoll_open_door(worker, EPOLLIN | EPOLLEXCLUSIVE);
}

static int queue_up_again(struct lab_worker *worker)
{
    if (own_epoll_delete(worker) < 0)
        return -1;
    return own_epoll_add(worker, EPOLLIN | EPOLLEXCLUSIVE);
}

static void run(struct lab_worker *worker)
{
    unsigned turns = 0;
    lab_worker_ready(worker->tally);
    for (;;) {
        int count = own_epoll_wait(worker, -1);
        int taken = count < 0 ? -1 : own_epoll_serve(worker, count);
        if (taken < 0)
            return;
        if (taken > 0 && turns++ % TURNS == 0 && queue_up_again(worker) < 0)
            return;
    }
}

const struct strategy strategy_epoll_exclusive_readd = {
    .name = "epoll-exclusive-readd",
    .teaches = "EPOLLEXCLUSIVE, and every 16 turns to the end of the queue: nginx's cure for the "
               "worker that gets it all",
    .doors = DOORS_SHARED,
    .open = open_exclusive,
    .run = run,
    .watch = own_epoll_watch,
};
