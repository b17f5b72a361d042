/*
 * sigio-group: signal-driven I/O with a process group as the listener's owner: the workers, in a
 * group that they make among themselves.
 *
 * A signal to a group goes to each of its members, so every connection wakes all workers: the
 * purest herd of all. The kernel cannot find out that there is nothing to do any more, as it does
 * in epoll_wait(2): each of them comes back to user space with its signal, and all but one are
 * refused by accept. Signals are queued, too: a worker that was stopped finds one for each
 * connection that the others have served long ago.
 *
 * fcntl(2) "Managing signals", setpgid(2), sigwaitinfo(2).
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lab/kernel/shared.h"
#include "lab/strategies/sigio.h"
#include "lab/strategies/strategies.h"

struct group {
    _Atomic pid_t id; /* 0: none yet */
};

static int prepare(struct arena *arena)
{
    arena->shared = shared_open(sizeof(struct group));
    return arena->shared ? sigio_prepare(arena) : -1;
}

static void release(struct arena *arena)
{
    shared_close(arena->shared, sizeof(struct group));
}

/* A group ends with its last member: whoever finds none makes one, and what waits by then has been
 * told to nobody. */
static int open_worker(struct lab_worker *worker)
{
    struct group *group = worker->arena->shared;
    pid_t id = atomic_load(&group->id);
    if (sigio_open(worker) < 0)
        return -1;
    if (id > 0 && setpgid(0, id) == 0)
        return 0;
    if (setpgid(0, 0) < 0 || sigio_own(worker->arena, -getpid()) < 0)
        return -1;
    atomic_store(&group->id, getpid());
    raise(SIGIO);
    return 0;
}

const struct strategy strategy_sigio_group = {
    .name = "sigio-group",
    .teaches = "signal-driven with a group as owner: the herd that user space sees, to the last "
               "wake-up",
    .doors = DOORS_SHARED,
    .prepare = prepare,
    .open = open_worker,
    .run = sigio_run,
    .watch = sigio_watch,
    .release = release,
};
