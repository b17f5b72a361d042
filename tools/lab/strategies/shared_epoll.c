#include "lab/strategies/shared_epoll.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct shared_epoll {
    int fd;
};

static int fd_of(const struct arena *arena)
{
    const struct shared_epoll *shared = arena->shared;
    return shared->fd;
}

/* Workers have a copy of this by the fork, and the descriptor with it. */
int shared_epoll_open(struct arena *arena, uint32_t events)
{
    struct shared_epoll *shared = malloc(sizeof *shared);
    if (!shared)
        return -1;
    shared->fd = epoll_create1(EPOLL_CLOEXEC);
    arena->shared = shared;
    struct epoll_event event = {.events = events, .data.fd = arena->doors[0]};
    return shared->fd < 0 ? -1 : epoll_ctl(shared->fd, EPOLL_CTL_ADD, arena->doors[0], &event);
}

void shared_epoll_close(struct arena *arena)
{
    if (!arena->shared)
        return;
    if (fd_of(arena) >= 0)
        close(fd_of(arena));
    free(arena->shared);
    arena->shared = NULL;
}

int shared_epoll_renew(const struct arena *arena, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = arena->doors[0]};
    return epoll_ctl(fd_of(arena), EPOLL_CTL_MOD, arena->doors[0], &event);
}

int shared_epoll_wait(struct lab_worker *worker)
{
    struct epoll_event event;
    int count = epoll_wait(fd_of(worker->arena), &event, 1, -1);
    if (count < 0)
        return errno == EINTR ? 0 : -1;
    lab_worker_returned(worker);
    return count;
}

void shared_epoll_run(struct lab_worker *worker)
{
    lab_worker_ready(worker->tally);
    int count;
    do
        count = shared_epoll_wait(worker);
    while (count == 0 || (count > 0 && lab_worker_take(worker, worker->door) >= 0));
}
