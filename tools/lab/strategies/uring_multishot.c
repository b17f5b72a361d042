/*
 * uring-multishot: each worker has an io_uring, and in it one accept request that stays
 * (IORING_ACCEPT_MULTISHOT, Linux 5.19) at a listener that all share.
 *
 * The request never leaves the listener's wait queue, and the walk ends at the first entry: ring 0
 * gets everything, since nothing asks whether somebody is asleep there, as EPOLLEXCLUSIVE does.
 * When its worker is busy or stopped it gets everything all the same: the clients wait in the
 * accept queue, and the siblings sleep beside it. The worst way there is to share a listener.
 *
 * io_uring_enter(2), IORING_OP_ACCEPT.
 */
#include "lab/kernel/ring.h"
#include "lab/strategies/strategies.h"
#include "lab/strategies/uring_accept.h"

static int open_multishot(struct lab_worker *worker)
{
    return uring_accept_open(worker, true);
}

const struct strategy strategy_uring_multishot = {
    .name = "uring-multishot",
    .teaches = "accept requests that stay, on one listener: ring 0 gets it all, even when its "
               "worker is stopped",
    .doors = DOORS_SHARED,
    .drains = true,
    .drains_only = true,
    .lacks = ring_lacks_multishot,
    .open = open_multishot,
    .run = uring_accept_run,
    .watch = uring_accept_watch,
};
