/*
 * reuseport-random: as reuseport, but a classic BPF program chooses the member of the group: one at
 * random of those that are well (SO_ATTACH_REUSEPORT_CBPF, Linux 4.5; no privilege is needed).
 *
 * With all workers well it is no better than the hash: dice, too. What it can do is to leave one
 * out: when the supervisor learns that a worker has stalled or ended, it attaches another program,
 * and no new client goes there. Those that are in its queue already stay in it. A supervisor that
 * is told nothing changes nothing.
 *
 * socket(7).
 */
#include <errno.h>

#include "lab/kernel/shared.h"
#include "lab/strategies/own_epoll.h"
#include "lab/strategies/strategies.h"
#include "os/steer.h"
#include <sys/epoll.h>

struct steering {
    bool is_out[LAB_WORKERS_MAX]; /* the supervisor's alone */
};

/* One socket is no group: there is nothing to choose. And when all are out it stays as it is: any
 * of them may come back. */
static int steer(const struct arena *arena)
{
    const struct steering *shared = arena->shared;
    int members[LAB_WORKERS_MAX];
    size_t count = 0;
    for (unsigned slot = 0; slot < arena->workers; slot++)
        if (!shared->is_out[slot])
            members[count++] = (int)slot;
    if (arena->workers < 2 || count == 0)
        return 0;
    return steer_attach(arena->doors[0], members, count);
}

static int prepare(struct arena *arena)
{
    arena->shared = shared_open(sizeof(struct steering));
    return arena->shared ? steer(arena) : -1;
}

static void release(struct arena *arena)
{
    shared_close(arena->shared, sizeof(struct steering));
}

static int open_own(struct lab_worker *worker)
{
    return own_epoll_open_door(worker, EPOLLIN);
}

static void on_stall(struct arena *arena, unsigned slot, bool is_stalled)
{
    struct steering *shared = arena->shared;
    shared->is_out[slot] = is_stalled;
    (void)steer(arena); /* a program that was attached once can be attached again */
}

const struct strategy strategy_reuseport_random = {
    .name = "reuseport-random",
    .teaches = "a classic BPF program throws the dice, and can leave out a worker that hangs",
    .doors = DOORS_OWN,
    .prepare = prepare,
    .open = open_own,
    .run = own_epoll_run,
    .watch = own_epoll_watch,
    .on_stall = on_stall,
    .release = release,
};
