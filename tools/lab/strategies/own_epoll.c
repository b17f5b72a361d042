#include "lab/strategies/own_epoll.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

/* Events of one turn at most: enough that a turn's system call is shared by many under load. */
#define EVENTS_MAX 64

struct own_epoll {
    int fd;
    int source;
    own_epoll_take_fn *take;
    struct epoll_event events[EVENTS_MAX];
};

int own_epoll_open(struct lab_worker *worker, int source, own_epoll_take_fn *take)
{
    struct own_epoll *own = calloc(1, sizeof *own);
    if (!own)
        return -1;
    *own = (struct own_epoll){.fd = epoll_create1(EPOLL_CLOEXEC), .source = source, .take = take};
    worker->own = own;
    return own->fd < 0 ? -1 : 0;
}

static int take_from_door(struct lab_worker *worker)
{
    return lab_worker_take(worker, worker->door);
}

int own_epoll_open_door(struct lab_worker *worker, uint32_t events)
{
    if (own_epoll_open(worker, worker->door, take_from_door) < 0)
        return -1;
    return own_epoll_add(worker, events);
}

static int add(const struct own_epoll *own, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    return epoll_ctl(own->fd, EPOLL_CTL_ADD, fd, &event);
}

int own_epoll_add(struct lab_worker *worker, uint32_t events)
{
    const struct own_epoll *own = worker->own;
    return add(own, own->source, events);
}

int own_epoll_delete(struct lab_worker *worker)
{
    const struct own_epoll *own = worker->own;
    return epoll_ctl(own->fd, EPOLL_CTL_DEL, own->source, NULL);
}

int own_epoll_watch(struct lab_worker *worker, int fd)
{
    return add(worker->own, fd, EPOLLIN);
}

void own_epoll_unwatch(struct lab_worker *worker, int fd)
{
    const struct own_epoll *own = worker->own;
    (void)epoll_ctl(own->fd, EPOLL_CTL_DEL, fd, NULL); /* it was not watched yet, maybe */
}

int own_epoll_wait(struct lab_worker *worker, int timeout_ms)
{
    struct own_epoll *own = worker->own;
    int count = epoll_wait(own->fd, own->events, EVENTS_MAX, timeout_ms);
    if (count < 0)
        return errno == EINTR ? 0 : -1;
    if (count > 0 || timeout_ms > 0)
        lab_worker_returned(worker);
    if (count == 0 && timeout_ms > 0) /* its time was up */
        lab_worker_wasted(worker);
    return count;
}

/* A connection is in a turn's events once, and closed by nothing but its own event: what is
 * accepted under its number meanwhile has none of them. */
int own_epoll_serve(struct lab_worker *worker, int count)
{
    struct own_epoll *own = worker->own;
    int taken = 0;
    for (int i = 0; i < count && taken >= 0; i++)
        if (own->events[i].data.fd == own->source)
            taken = own->take(worker);
    for (int i = 0; i < count; i++)
        if (own->events[i].data.fd != own->source)
            lab_worker_serve(worker, own->events[i].data.fd);
    return taken;
}

void own_epoll_run(struct lab_worker *worker)
{
    lab_worker_ready(worker->tally);
    int count;
    do
        count = own_epoll_wait(worker, -1);
    while (count >= 0 && own_epoll_serve(worker, count) >= 0);
}
