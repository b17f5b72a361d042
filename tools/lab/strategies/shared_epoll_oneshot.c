/*
 * shared-epoll-oneshot: one epoll with the listener in it at EPOLLONESHOT, made before the forks;
 * all workers wait in it.
 *
 * The first that is told has the listener to itself: it is switched off for everybody until that
 * worker, having accepted, switches it on again (EPOLL_CTL_MOD), which tells the next one if more
 * connections wait. One wake-up, no need to drain, and a system call more a turn.
 *
 * The trap: a worker that ends or stops between the two leaves the listener switched off for good;
 * and one that ends between being woken and being told leaves it on the ready list, with nobody
 * woken. So the supervisor removes and adds the listener when it learns of such a worker, which
 * helps in both cases; to switch it on again, as workers do, would help in the first alone.
 *
 * epoll_ctl(2).
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "lab/strategies/shared_epoll.h"
#include "lab/strategies/strategies.h"

#define EVENTS (EPOLLIN | EPOLLONESHOT)

static int prepare(struct arena *arena)
{
    return shared_epoll_open(arena, EVENTS);
}

/* The others are let in before this client is served: that takes as long as the client likes.
 * Returns 1, 0 when nobody waited, or -1 with errno set. */
static int take_one(struct lab_worker *worker)
{
    int fd = accept4(worker->door, NULL, NULL, SOCK_CLOEXEC);
    int error = errno;
    if (shared_epoll_renew(worker->arena, EVENTS) < 0)
        return -1;
    if (fd >= 0)
        lab_worker_took(worker, fd);
    errno = error;
    return fd >= 0 ? 1 : error == EAGAIN || error == ECONNABORTED ? 0 : -1;
}

static int take(struct lab_worker *worker)
{
    int taken = take_one(worker);
    if (taken == 0)
        lab_worker_wasted(worker);
    while (taken > 0 && worker->arena->drain)
        taken = take_one(worker);
    return taken;
}

static void run(struct lab_worker *worker)
{
    lab_worker_ready(worker->tally);
    int count;
    do
        count = shared_epoll_wait(worker);
    while (count == 0 || (count > 0 && take(worker) >= 0));
}

/* What can be done is done: a supervisor that is refused here has nothing else to try. */
static void on_end(struct arena *arena, unsigned slot)
{
    (void)slot;
    (void)shared_epoll_readd(arena, EVENTS);
}

static void on_stall(struct arena *arena, unsigned slot, bool is_stalled)
{
    if (is_stalled)
        on_end(arena, slot);
}

const struct strategy strategy_shared_epoll_oneshot = {
    .name = "shared-epoll-oneshot",
    .teaches =
        "one epoll for all, switched off by each event: one wake-up and nobody stranded, for "
        "one system call more",
    .doors = DOORS_SHARED,
    .prepare = prepare,
    .run = run,
    .on_stall = on_stall,
    .on_end = on_end,
    .release = shared_epoll_close,
};
