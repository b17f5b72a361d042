/*
 * fdpass-least: one process accepts, and passes each connection on to the worker that holds the
 * fewest, over a unix socket (SCM_RIGHTS).
 *
 * What no kernel-side choice knows is known here: who has how many connections now, those that are
 * still on their way to it included, else a burst would go to one worker before that can count it.
 * Of equals the next one in turn is taken. The price is that of fdpass-rr: a second wake-up, and a
 * dispatcher that all connections must pass.
 *
 * unix(7), cmsg(3).
 */
#include "lab/strategies/fdpass.h"
#include "lab/strategies/own_epoll.h"
#include "lab/strategies/strategies.h"

static unsigned choose_least(const struct arena *arena, unsigned last)
{
    unsigned best = (last + 1) % arena->workers;
    uint64_t least = UINT64_MAX;
    for (unsigned i = 1; i <= arena->workers; i++) {
        unsigned slot = (last + i) % arena->workers;
        uint64_t load = fdpass_is_out(arena, slot) ? UINT64_MAX : fdpass_load(arena, slot);
        if (load < least) {
            best = slot;
            least = load;
        }
    }
    return best;
}

static void dispatch(struct arena *arena, struct tally *row)
{
    fdpass_dispatch(arena, row, choose_least);
}

const struct strategy strategy_fdpass_least = {
    .name = "fdpass-least",
    .teaches = "one accepts and passes descriptors to whoever holds the fewest: the fairest, and "
               "the dearest",
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
