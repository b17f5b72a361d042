/*
 * accept-mutex: each worker has an epoll of its own, and the listener is in the epoll of the one
 * that holds a lock: nginx's default before 1.11.3.
 *
 * Who holds the lock waits for connections, accepts, and gives the lock back before it serves what
 * it keeps. Who does not get it sleeps for 500 ms at most and tries again; so an idle worker wakes
 * twice a second for nothing, and the holder, who tries first, mostly gets the lock again.
 *
 * The trap is the holder that does not give it back. When it is dead, nobody accepts until the
 * supervisor has taken the lock away and a loser has slept out its 500 ms. nginx does that for dead
 * workers. A supervisor that sees stalls may do it for a worker that is stopped, too: when that
 * goes on, it finds its lock lost and takes the listener out of its epoll, and until then two
 * listen, which harms nobody.
 *
 * epoll(7), accept(2).
 */
#include <errno.h>
#include <stdatomic.h>
#include <sys/epoll.h>

#include "lab/kernel/shared.h"
#include "lab/strategies/own_epoll.h"
#include "lab/strategies/strategies.h"

/* Milliseconds that a loser sleeps at most (nginx: accept_mutex_delay). */
#define DELAY_MS 500

struct mutex {
    _Atomic unsigned holder; /* its slot + 1; 0: nobody */
};

static bool lock(struct mutex *mutex, unsigned slot)
{
    unsigned nobody = 0;
    return atomic_compare_exchange_strong(&mutex->holder, &nobody, slot + 1);
}

/* Does nothing when it is another's. */
static void unlock(struct mutex *mutex, unsigned slot)
{
    unsigned mine = slot + 1;
    atomic_compare_exchange_strong(&mutex->holder, &mine, 0);
}

static int prepare(struct arena *arena)
{
    arena->shared = shared_open(sizeof(struct mutex));
    return arena->shared ? 0 : -1;
}

static void release(struct arena *arena)
{
    shared_close(arena->shared, sizeof(struct mutex));
}

/* Siblings may listen while this one serves what it keeps. */
static int take(struct lab_worker *worker)
{
    int taken = lab_worker_take(worker, worker->door);
    unlock(worker->arena->shared, worker->slot);
    return taken;
}

static int open_without(struct lab_worker *worker)
{
    return own_epoll_open(worker, worker->door, take);
}

/* The listener is in the epoll when the lock is had, and *listens says so. */
static int follow(struct lab_worker *worker, bool is_locked, bool *listens)
{
    if (is_locked == *listens)
        return 0;
    *listens = is_locked;
    return is_locked ? own_epoll_add(worker, EPOLLIN) : own_epoll_delete(worker);
}

static void run(struct lab_worker *worker)
{
    struct mutex *mutex = worker->arena->shared;
    bool listens = false;
    lab_worker_ready(worker->tally);
    for (;;) {
        bool is_locked = lock(mutex, worker->slot);
        if (follow(worker, is_locked, &listens) < 0)
            return;
        int count = own_epoll_wait(worker, is_locked ? -1 : DELAY_MS);
        if (count < 0 || own_epoll_serve(worker, count) < 0)
            return;
        unlock(mutex, worker->slot); /* it was woken for something else */
    }
}

static void on_end(struct arena *arena, unsigned slot)
{
    unlock(arena->shared, slot);
}

static void on_stall(struct arena *arena, unsigned slot, bool is_stalled)
{
    if (is_stalled)
        unlock(arena->shared, slot);
}

const struct strategy strategy_accept_mutex = {
    .name = "accept-mutex",
    .teaches = "who holds the lock listens: nginx before 1.11.3, with losers that wake twice a "
               "second to try again",
    .doors = DOORS_SHARED,
    .prepare = prepare,
    .open = open_without,
    .run = run,
    .watch = own_epoll_watch,
    .on_stall = on_stall,
    .on_end = on_end,
    .release = release,
};
