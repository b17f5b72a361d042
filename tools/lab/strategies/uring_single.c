/*
 * uring-single: each worker has an io_uring, and one accept request in it that waits at a listener
 * that all share; when it has brought a connection, another is made.
 *
 * A request that waits is an exclusive entry in the listener's wait queue, and each new one stands
 * at its end: one wake-up, and exact turns, as with accept(2). But a worker is woken with the
 * connection in its hands: the kernel has accepted for it. So a worker that is stopped or busy
 * takes one client along, and after that none, since it asks for none.
 *
 * io_uring_enter(2), IORING_OP_ACCEPT.
 */
#include "lab/ring.h"
#include "lab/strategies.h"
#include "lab/strategies/uring_accept.h"

static int open_single(struct lab_worker *worker)
{
    return uring_accept_open(worker, false);
}

const struct strategy strategy_uring_single = {
    .name = "uring-single",
    .teaches = "an accept request a time in io_uring: exact turns, and a worker that hangs takes "
               "one client along",
    .doors = DOORS_SHARED,
    .lacks = ring_lacks,
    .open = open_single,
    .run = uring_accept_run,
    .watch = uring_accept_watch,
};
