/*
 * epoll-et: as epoll-lt, but edge-triggered: an epoll is told of a connection's arrival, and not
 * that connections wait.
 *
 * It does not tame the herd: the wait queue's entries are those of epoll-lt, so all who sleep are
 * woken. What it changes is what comes after: an arrival is told once, so a worker accepts until
 * EAGAIN. With one accept an event, connections that have come together stay in the queue until the
 * next arrival, beside workers that sleep.
 *
 * epoll(7), "Level-triggered and edge-triggered".
 */
#include <sys/epoll.h>

#include "lab/strategies/own_epoll.h"
#include "lab/strategies/strategies.h"

static int open_edge(struct lab_worker *worker)
{
    return own_epoll_open_door(worker, EPOLLIN | EPOLLET);
}

const struct strategy strategy_epoll_et = {
    .name = "epoll-et",
    .teaches = "edge-triggered does not tame the herd: all are woken, and who does not drain the "
               "queue leaves clients in it",
    .doors = DOORS_SHARED,
    .drains = true,
    .open = open_edge,
    .run = own_epoll_run,
    .watch = own_epoll_watch,
};
