/*
 * reactor-pool - half-sync/half-reactor: one thread waits with epoll and hands over descriptors
 * that are ready; a pool of threads reads, answers, and arms them again.
 *
 * EPOLLONESHOT keeps two threads off one connection: after an event it is silent until
 * epoll_ctl(2) arms it anew. An eventfd in semaphore mode counts what is in the queue: each read of
 * it takes one, or waits. So the queue needs no lock: one thread fills it, each of the others has
 * an entry of its own to read, and it is as long as there are descriptors, each of which is in it
 * once at most.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lab/models/model.h"
#include "lab/models/peers.h"
#include "lab/models/threads.h"

#define BATCH 64

struct reactor {
    struct peers peers;
    int epoll_fd;
    int filled_fd;         /* the eventfd */
    int *queue;            /* a ring of peers.room entries */
    uint64_t put;          /* entries that were ever put in */
    _Atomic uint64_t took; /* and taken out */
};

static void arm(struct reactor *reactor, int op, int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = fd};
    if (epoll_ctl(reactor->epoll_fd, op, fd, &event) < 0)
        peers_end(&reactor->peers, fd);
}

static void *serve(void *context)
{
    struct reactor *reactor = context;
    struct scratch scratch = {0};
    uint64_t one;
    for (;;) {
        if (read(reactor->filled_fd, &one, sizeof one) != sizeof one)
            continue; /* EINTR */
        uint64_t place = reactor->took++ % (uint64_t)reactor->peers.room;
        int fd = reactor->queue[place];
        if (peers_serve(&reactor->peers, &scratch, fd))
            arm(reactor, EPOLL_CTL_MOD, fd);
    }
    return NULL;
}

static void accept_all(struct reactor *reactor)
{
    int fd;
    while ((fd = peers_accept(&reactor->peers)) >= 0)
        arm(reactor, EPOLL_CTL_ADD, fd);
}

/* The eventfd counts, and wakes so many. */
static void hand_over(struct reactor *reactor, const struct epoll_event *events, int n)
{
    uint64_t count = 0;
    bool has_clients = false;
    for (int i = 0; i < n; i++) {
        if (events[i].data.fd == reactor->peers.server->door) {
            has_clients = true;
            continue;
        }
        reactor->queue[reactor->put++ % (uint64_t)reactor->peers.room] = events[i].data.fd;
        count++;
    }
    while (count > 0 && write(reactor->filled_fd, &count, sizeof count) < 0 && errno == EINTR) {
        /* once more */
    }
    if (has_clients)
        accept_all(reactor);
}

static int open_reactor(struct reactor *reactor, struct server *server)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = server->door};
    if (peers_open(&reactor->peers, server, PEERS_NONBLOCKING) < 0)
        return -1;
    reactor->queue = calloc((size_t)reactor->peers.room, sizeof *reactor->queue);
    reactor->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    reactor->filled_fd = eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC);
    if (!reactor->queue || reactor->epoll_fd < 0 || reactor->filled_fd < 0 ||
        epoll_ctl(reactor->epoll_fd, EPOLL_CTL_ADD, server->door, &event) < 0)
        return -1;
    return threads_start(POOL_THREADS, serve, reactor);
}

static void run(struct server *server)
{
    static struct reactor reactor;
    struct epoll_event events[BATCH];
    if (open_reactor(&reactor, server) < 0)
        return;
    server_ready(server);
    for (;;) {
        int n = epoll_wait(reactor.epoll_fd, events, BATCH, -1);
        if (n < 0 && errno != EINTR)
            return;
        if (n > 0)
            hand_over(&reactor, events, n);
    }
}

const struct model model_reactor_pool = {
    .name = "reactor-pool",
    .teaches = "half-sync/half-reactor: one thread waits with epoll, ONESHOT descriptors go to a "
               "pool through a queue that an eventfd counts",
    .ends = "at the descriptors of a process; every request wakes two threads",
    .is_steady = true,
    .run = run,
};
