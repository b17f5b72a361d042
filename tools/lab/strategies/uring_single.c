/*
 * uring-single: each worker has an io_uring, and one accept request in it that waits at a listener
 * that all share; when it has brought a connection, another is made.
 *
 * A request that waits is an exclusive entry in the listener's wait queue, and each new one stands
 * at its end: one wake-up, and exact turns, as with accept(2).
 *
 * But the entry is the request's and not the worker's: it stays there when the worker is stopped or
 * busy, while one that sleeps in accept(2) or epoll_wait(2) leaves the queue when it is stopped. So
 * such a worker still gets one wake-up, with which it does nothing, since accepting is done when it
 * runs. That client waits in the queue beside siblings that sleep, until the next arrival wakes one
 * of them; after that the worker has no request there any more.
 *
 * io_uring_enter(2), IORING_OP_ACCEPT.
 */
#include "lab/kernel/ring.h"
#include "lab/strategies/strategies.h"
#include "lab/strategies/uring_accept.h"

static int open_single(struct lab_worker *worker)
{
    return uring_accept_open(worker, false);
}

const struct strategy strategy_uring_single = {
    .name = "uring-single",
    .teaches = "an accept request a time in io_uring: exact turns, and a worker that hangs keeps "
               "one client waiting",
    .doors = DOORS_SHARED,
    .lacks = ring_lacks,
    .open = open_single,
    .run = uring_accept_run,
    .watch = uring_accept_watch,
};
