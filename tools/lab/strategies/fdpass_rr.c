/*
 * fdpass-rr: one process accepts, and passes each connection on to the next worker in turn, over a
 * unix socket (SCM_RIGHTS).
 *
 * Two wake-ups a connection, always: the dispatcher's and the worker's. For that the choice is a
 * program's, and not the kernel's: exact turns, and a worker that is known to be stalled is passed
 * over. What has been sent to a worker is in nobody's accept queue any more: only that worker, or
 * its successor, can take it from the channel.
 *
 * The trap: for a moment the dispatcher has the connection open, too. A worker that closes it
 * within that moment neither ends it nor takes it out of its epoll, whose events are then about a
 * descriptor that is gone. So it is deleted by hand.
 *
 * unix(7), cmsg(3).
 */
#include "lab/strategies/fdpass.h"
#include "lab/strategies/own_epoll.h"
#include "lab/strategies/strategies.h"

static unsigned follow(const struct arena *arena, unsigned slot)
{
    return slot + 1 < arena->workers ? slot + 1 : 0;
}

/* When all are out it is the next one all the same: it may come back. */
static unsigned choose_next(const struct arena *arena, unsigned last)
{
    unsigned slot = follow(arena, last);
    while (slot != last && fdpass_is_out(arena, slot))
        slot = follow(arena, slot);
    return fdpass_is_out(arena, slot) ? follow(arena, last) : slot;
}

static void dispatch(struct arena *arena, struct tally *row)
{
    fdpass_dispatch(arena, row, choose_next);
}

const struct strategy strategy_fdpass_rr = {
    .name = "fdpass-rr",
    .teaches = "one accepts and passes descriptors on in turn: a second wake-up buys exact turns",
    .doors = DOORS_SHARED,
    .prepare = fdpass_prepare,
    .open = fdpass_open,
    .run = own_epoll_run,
    .watch = own_epoll_watch,
    .unwatch = own_epoll_unwatch,
    .dispatch = dispatch,
    .on_stall = fdpass_on_stall,
    .on_end = fdpass_on_end,
    .release = fdpass_release,
};
