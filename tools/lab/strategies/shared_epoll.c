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

static int control(const struct arena *arena, int how, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = arena->doors[0]};
    return epoll_ctl(fd_of(arena), how, arena->doors[0], &event);
}

/* Workers have a copy of this by the fork, and the descriptor with it. */
int shared_epoll_open(struct arena *arena, uint32_t events)
{
    struct shared_epoll *shared = malloc(sizeof *shared);
    if (!shared)
        return -1;
    shared->fd = epoll_create1(EPOLL_CLOEXEC);
    arena->shared = shared;
    return shared->fd < 0 ? -1 : control(arena, EPOLL_CTL_ADD, events);
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

/* ENOENT: somebody is within shared_epoll_readd(). */
int shared_epoll_renew(const struct arena *arena, uint32_t events)
{
    int result = control(arena, EPOLL_CTL_MOD, events);
    return result < 0 && errno == ENOENT ? 0 : result;
}

int shared_epoll_readd(const struct arena *arena, uint32_t events)
{
    if (control(arena, EPOLL_CTL_DEL, 0) < 0)
        return -1;
    return control(arena, EPOLL_CTL_ADD, events);
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
