#include "lab/strategies/fdpass.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/kernel/shared.h"
#include "lab/strategies/own_epoll.h"
#include "os/pass.h"

/* Milliseconds until a dispatcher that can pass nothing on looks for who is back. */
#define LOOK_AGAIN_MS 5

struct seat {
    _Atomic bool is_out;
    _Atomic uint64_t sent; /* connections; only the dispatcher writes it */
};

struct fdpass {
    struct seat seats[LAB_WORKERS_MAX];
};

static struct seat *seat_at(const struct arena *arena, unsigned slot)
{
    struct fdpass *shared = arena->shared;
    return &shared->seats[slot];
}

int fdpass_prepare(struct arena *arena)
{
    arena->shared = shared_open(sizeof(struct fdpass));
    return arena->shared ? 0 : -1;
}

void fdpass_release(struct arena *arena)
{
    shared_close(arena->shared, sizeof(struct fdpass));
}

bool fdpass_is_out(const struct arena *arena, unsigned slot)
{
    return atomic_load(&seat_at(arena, slot)->is_out);
}

/* The worker's rows move on their own: a difference may be off by what is happening now. */
uint64_t fdpass_load(const struct arena *arena, unsigned slot)
{
    const struct tally *row = &arena->tallies[slot];
    uint64_t sent = atomic_load(&seat_at(arena, slot)->sent);
    uint64_t accepted = atomic_load(&row->accepted);
    return atomic_load(&row->open) + (sent > accepted ? sent - accepted : 0);
}

void fdpass_on_stall(struct arena *arena, unsigned slot, bool is_stalled)
{
    atomic_store(&seat_at(arena, slot)->is_out, is_stalled);
}

/* What is on its way to it waits in the channel for its successor. */
void fdpass_on_end(struct arena *arena, unsigned slot)
{
    atomic_store(&seat_at(arena, slot)->is_out, true);
}

/* ------------------------------------------------------------------------------- the workers */

/* Returns 1, 0 when none is there, or -1 with errno set. */
static int receive_one(struct lab_worker *worker)
{
    char byte;
    int fd;
    size_t count = 1;
    ssize_t length = pass_receive(worker->channel, &byte, sizeof byte, &fd, &count);
    if (length < 0)
        return errno == EAGAIN ? 0 : -1;
    if (count == 0) {
        errno = ECONNRESET; /* the other side is gone */
        return -1;
    }
    lab_worker_took(worker, fd);
    return 1;
}

static int receive(struct lab_worker *worker)
{
    int taken = 0;
    int result;
    do {
        result = receive_one(worker);
        taken += result > 0;
    } while (result > 0 && worker->arena->drain);
    if (taken == 0 && result == 0)
        lab_worker_wasted(worker);
    return result < 0 ? -1 : taken;
}

int fdpass_open(struct lab_worker *worker)
{
    if (own_epoll_open(worker, worker->channel, receive) < 0)
        return -1;
    fdpass_on_stall(worker->arena, worker->slot, false);
    return own_epoll_add(worker, EPOLLIN);
}

/* ----------------------------------------------------------------------------- the dispatcher */

/* What can be chosen is full: the clients may wait in the accept queue meanwhile. Nothing tells
 * when fewer descriptors are on their way (ETOOMANYREFS, unix(7)): that is looked at again. */
static void wait_for_room(const struct arena *arena, unsigned chosen, int cause)
{
    struct pollfd channels[LAB_WORKERS_MAX];
    for (unsigned slot = 0; slot < arena->workers; slot++) {
        bool counts = cause == EAGAIN && (slot == chosen || !fdpass_is_out(arena, slot));
        channels[slot] = (struct pollfd){.fd = counts ? arena->channels[slot] : -1,
                                         .events = POLLOUT};
    }
    (void)poll(channels, arena->workers, LOOK_AGAIN_MS); /* a failure is a look too early */
}

static int send_to(const struct arena *arena, unsigned slot, int fd)
{
    if (pass_send(arena->channels[slot], "", 1, &fd, 1) < 0)
        return -1;
    atomic_fetch_add(&seat_at(arena, slot)->sent, 1);
    return 0;
}

/* To the one that is chosen; to the next one when that has no room. Returns who got it, or -1 with
 * errno set. */
static int hand_over(const struct arena *arena, unsigned chosen, int fd)
{
    for (;;) {
        for (unsigned i = 0; i < arena->workers; i++) {
            unsigned slot = (chosen + i) % arena->workers;
            if (i > 0 && fdpass_is_out(arena, slot))
                continue;
            if (send_to(arena, slot, fd) == 0)
                return (int)slot;
            if (errno != EAGAIN && errno != ETOOMANYREFS)
                return -1;
        }
        wait_for_room(arena, chosen, errno);
    }
}

/* Returns 1, 0 when none waits, or -1 with errno set. *last becomes who got it. */
static int pass_one(const struct arena *arena, fdpass_choose_fn *choose, unsigned *last)
{
    int fd = accept4(arena->doors[0], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return errno == EAGAIN || errno == ECONNABORTED ? 0 : -1;
    int slot = hand_over(arena, choose(arena, *last), fd);
    int error = errno;
    close(fd);
    errno = error;
    if (slot < 0)
        return -1;
    *last = (unsigned)slot;
    return 1;
}

static int pass_some(const struct arena *arena, struct tally *row, fdpass_choose_fn *choose,
                     unsigned *last)
{
    int passed = pass_one(arena, choose, last);
    if (passed == 0)
        atomic_fetch_add(&row->wasted, 1);
    while (passed > 0 && arena->drain)
        passed = pass_one(arena, choose, last);
    return passed;
}

static int watch_door(const struct arena *arena)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = arena->doors[0]};
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, arena->doors[0], &event) < 0)
        return -1;
    return fd;
}

void fdpass_dispatch(struct arena *arena, struct tally *row, fdpass_choose_fn *choose)
{
    unsigned last = arena->workers - 1;
    int epoll = watch_door(arena);
    if (epoll < 0)
        return;
    lab_worker_ready(row);
    for (;;) {
        struct epoll_event event;
        int count = epoll_wait(epoll, &event, 1, -1);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return;
        atomic_fetch_add(&row->returns, 1);
        if (pass_some(arena, row, choose, &last) < 0)
            return;
    }
}
