/*
 * uring-multishot-reuseport: as uring-multishot, with a listener of its own for each worker
 * (SO_REUSEPORT): where that request is at home.
 *
 * Nobody shares a wait queue, so the request that stays takes nothing from a sibling: one system
 * call a turn however many connections it brings, and the hash chooses the worker. A worker that
 * hangs keeps its share waiting, as with reuseport.
 *
 * io_uring_enter(2), IORING_OP_ACCEPT, socket(7).
 */
#include "lab/kernel/ring.h"
#include "lab/strategies/strategies.h"
#include "lab/strategies/uring_accept.h"

static int open_multishot(struct lab_worker *worker)
{
    return uring_accept_open(worker, true);
}

const struct strategy strategy_uring_multishot_reuseport = {
    .name = "uring-multishot-reuseport",
    .teaches = "accept requests that stay, a listener each: multishot where it is at home",
    .doors = DOORS_OWN,
    .drains = true,
    .drains_only = true,
    .lacks = ring_lacks_multishot,
    .open = open_multishot,
    .run = uring_accept_run,
    .watch = uring_accept_watch,
};
