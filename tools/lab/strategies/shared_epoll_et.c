/*
 * shared-epoll-et: one epoll with the listener in it, edge-triggered, made before the forks; all
 * workers wait in it.
 *
 * Here edge-triggered does what one hopes for: the listener leaves the ready list with the first
 * worker that is told, so a connection wakes one: the one that went to sleep last, a true stack,
 * warm caches included. It has to accept until EAGAIN, else connections that came together are
 * stranded until the next arrival.
 *
 * The trap: who is told and then stopped, or busy, has taken the edge along.
 *
 * epoll(7).
 */
#include <sys/epoll.h>

#include "lab/strategies/shared_epoll.h"
#include "lab/strategies/strategies.h"

static int prepare(struct arena *arena)
{
    return shared_epoll_open(arena, EPOLLIN | EPOLLET);
}

const struct strategy strategy_shared_epoll_et = {
    .name = "shared-epoll-et",
    .teaches = "one edge-triggered epoll for all: one wake-up, the last to sleep gets it all, and "
               "must drain the queue",
    .doors = DOORS_SHARED,
    .drains = true,
    .prepare = prepare,
    .run = shared_epoll_run,
    .release = shared_epoll_close,
};
