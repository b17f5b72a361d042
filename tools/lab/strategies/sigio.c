#include "lab/strategies/sigio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* One for all descriptors: which one it is stands in the signal. */
#define SIGNAL_READY SIGRTMIN

/* The descriptors that are watched, the listener not among them. */
struct sigio {
    sigset_t signals;
    int watched_end; /* the highest + 1 */
};

static int send_signals(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETSIG, SIGNAL_READY) < 0)
        return -1;
    return fcntl(fd, F_SETFL, flags | O_ASYNC);
}

int sigio_prepare(const struct arena *arena)
{
    return send_signals(arena->doors[0]);
}

int sigio_open(struct lab_worker *worker)
{
    struct sigio *own = calloc(1, sizeof *own);
    if (!own)
        return -1;
    sigemptyset(&own->signals);
    sigaddset(&own->signals, SIGNAL_READY);
    sigaddset(&own->signals, SIGIO);
    worker->own = own;
    return sigprocmask(SIG_BLOCK, &own->signals, NULL);
}

int sigio_own(const struct arena *arena, pid_t owner)
{
    struct f_owner_ex to = {.type = owner < 0 ? F_OWNER_PGRP : F_OWNER_PID,
                            .pid = owner < 0 ? -owner : owner};
    return fcntl(arena->doors[0], F_SETOWN_EX, &to);
}

static bool is_ready(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return poll(&one, 1, 0) > 0;
}

/* A signal comes when something arrives: what has come before is looked for. */
int sigio_watch(struct lab_worker *worker, int fd)
{
    struct sigio *own = worker->own;
    struct f_owner_ex self = {.type = F_OWNER_PID, .pid = getpid()};
    if (fcntl(fd, F_SETOWN_EX, &self) < 0 || send_signals(fd) < 0)
        return -1;
    if (fd >= own->watched_end)
        own->watched_end = fd + 1;
    if (is_ready(fd))
        raise(SIGIO);
    return 0;
}

static int take_all(struct lab_worker *worker)
{
    while (is_ready(worker->door))
        if (lab_worker_take(worker, worker->door) < 0)
            return -1;
    return 0;
}

static int look_at_all(struct lab_worker *worker)
{
    const struct sigio *own = worker->own;
    for (int fd = 0; fd < own->watched_end; fd++)
        if (lab_worker_has(worker, fd) && is_ready(fd))
            lab_worker_serve(worker, fd);
    return take_all(worker);
}

static int serve(struct lab_worker *worker, const siginfo_t *info)
{
    if (info->si_signo == SIGIO)
        return look_at_all(worker);
    if (info->si_fd == worker->door)
        return lab_worker_take(worker, worker->door);
    /* A signal that was queued may be about a predecessor of that number: then nothing is read. */
    if (lab_worker_has(worker, info->si_fd))
        lab_worker_serve(worker, info->si_fd);
    return 0;
}

void sigio_run(struct lab_worker *worker)
{
    const struct sigio *own = worker->own;
    lab_worker_ready(worker->tally);
    for (;;) {
        siginfo_t info;
        if (sigwaitinfo(&own->signals, &info) < 0) {
            if (errno == EINTR)
                continue;
            return;
        }
        lab_worker_returned(worker);
        if (serve(worker, &info) < 0)
            return;
    }
}
