/*
 * sigio-owner: signal-driven I/O. The listener sends a signal for each connection to its owner, one
 * worker, which alone serves until it ends or stalls; then the next one becomes the owner.
 *
 * A signal a connection is queued, so nothing is told twice and nobody else is woken: one wake-up,
 * and one worker that works. The owner is a property of the open file, which all share: so the
 * supervisor can change it, and then has to tell the new one to look, since signals that were sent
 * to the old one are gone with it.
 *
 * A connection that is accepted has neither owner nor O_ASYNC: both must be set, and what has come
 * before that is looked for by hand.
 *
 * fcntl(2) "Managing signals", signal(7), sigwaitinfo(2).
 */
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lab/kernel/shared.h"
#include "lab/strategies/sigio.h"
#include "lab/strategies/strategies.h"

struct ownership {
    _Atomic int owner;                /* its slot + 1; 0: nobody */
    bool is_stalled[LAB_WORKERS_MAX]; /* the supervisor's alone */
};

static int prepare(struct arena *arena)
{
    arena->shared = shared_open(sizeof(struct ownership));
    return arena->shared ? sigio_prepare(arena) : -1;
}

static void release(struct arena *arena)
{
    shared_close(arena->shared, sizeof(struct ownership));
}

/* The first one, and one that is started when there is no other. */
static int open_worker(struct lab_worker *worker)
{
    struct ownership *shared = worker->arena->shared;
    int nobody = 0;
    if (sigio_open(worker) < 0)
        return -1;
    if (!atomic_compare_exchange_strong(&shared->owner, &nobody, (int)worker->slot + 1))
        return 0;
    raise(SIGIO); /* what waits already has been told to nobody */
    return sigio_own(worker->arena, getpid());
}

/* Returns its slot; -1 when nobody can be it. */
static int find_successor(const struct arena *arena, unsigned slot)
{
    const struct ownership *shared = arena->shared;
    for (unsigned i = 1; i < arena->workers; i++) {
        unsigned next = (slot + i) % arena->workers;
        if (arena->pids[next] > 0 && !shared->is_stalled[next])
            return (int)next;
    }
    return -1;
}

/* A successor that dies at this moment is reported to on_end() in its turn, so that failures are
 * nothing to act on. */
static void pass_on(struct arena *arena, unsigned slot)
{
    struct ownership *shared = arena->shared;
    if (atomic_load(&shared->owner) != (int)slot + 1)
        return;
    int next = find_successor(arena, slot);
    atomic_store(&shared->owner, next + 1);
    if (next < 0)
        return;
    if (sigio_own(arena, arena->pids[next]) == 0)
        kill(arena->pids[next], SIGIO);
}

static void on_end(struct arena *arena, unsigned slot)
{
    struct ownership *shared = arena->shared;
    shared->is_stalled[slot] = false;
    pass_on(arena, slot);
}

static void on_stall(struct arena *arena, unsigned slot, bool is_stalled)
{
    struct ownership *shared = arena->shared;
    shared->is_stalled[slot] = is_stalled;
    if (is_stalled)
        pass_on(arena, slot);
    else if (atomic_load(&shared->owner) == 0 && sigio_own(arena, arena->pids[slot]) == 0) {
        atomic_store(&shared->owner, (int)slot + 1);
        kill(arena->pids[slot], SIGIO);
    }
}

const struct strategy strategy_sigio_owner = {
    .name = "sigio-owner",
    .teaches = "signal-driven: a queued signal a connection, to one owner who serves alone",
    .doors = DOORS_SHARED,
    .prepare = prepare,
    .open = open_worker,
    .run = sigio_run,
    .watch = sigio_watch,
    .on_stall = on_stall,
    .on_end = on_end,
    .release = release,
};
