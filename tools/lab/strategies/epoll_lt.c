/*
 * epoll-lt: each worker has an epoll of its own, and all of them watch one listener.
 *
 * Every epoll has an entry of its own in the listener's wait queue, and none of them is exclusive:
 * a new connection wakes all workers that sleep. One accepts it. The others are mostly not even
 * told that they were woken: epoll_wait(2) asks the listener again before it returns, finds
 * nothing, and sleeps on. Whoever counts EAGAIN sees a fraction of the herd.
 *
 * Nobody can be stranded: as long as the listener is readable, each epoll has it on its ready list.
 *
 * epoll(7), epoll_wait(2), accept(2).
 */
#include <sys/epoll.h>

#include "lab/strategies/own_epoll.h"
#include "lab/strategies/strategies.h"

static int open_level(struct lab_worker *worker)
{
    return own_epoll_open_door(worker, EPOLLIN);
}

const struct strategy strategy_epoll_lt = {
    .name = "epoll-lt",
    .teaches = "an epoll a worker on one listener: a connection wakes all of them, and most never "
               "learn that they were",
    .doors = DOORS_SHARED,
    .open = open_level,
    .run = own_epoll_run,
    .watch = own_epoll_watch,
};
