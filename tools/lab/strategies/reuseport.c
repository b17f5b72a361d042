/*
 * reuseport: each worker has a listener of its own, and all are bound to one address
 * (SO_REUSEPORT, Linux 3.9). The kernel gives a connection to one of them by a hash of its
 * addresses and ports.
 *
 * There is nobody to compete with: one wake-up, and one accept queue a worker. The price is that
 * the choice is made blindly, when the client's first packet comes: a worker that is busy, stopped
 * or gone gets its share like the others, and nobody else can take it from its queue. And a hash
 * balances like dice do: well for many short connections, badly for a few long ones.
 *
 * socket(7).
 */
#include <sys/epoll.h>

#include "lab/strategies/own_epoll.h"
#include "lab/strategies/strategies.h"

static int open_own(struct lab_worker *worker)
{
    return own_epoll_open_door(worker, EPOLLIN);
}

const struct strategy strategy_reuseport = {
    .name = "reuseport",
    .teaches = "a queue a worker, chosen by a hash: no herd, and no help for clients of a worker "
               "that hangs",
    .doors = DOORS_OWN,
    .open = open_own,
    .run = own_epoll_run,
    .watch = own_epoll_watch,
};
