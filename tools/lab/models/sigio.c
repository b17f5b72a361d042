/*
 * sigio - signal-driven I/O: every socket sends a real-time signal (F_SETSIG, fcntl(2)) when
 * something has come, sigwaitinfo(2) takes one at a time, and si_fd says whose it is.
 *
 * It tells of news alone, as edge-triggered epoll does: read until EAGAIN. The queue of signals
 * ends at RLIMIT_SIGPENDING; when it is full, a plain SIGIO says no more than that something was
 * lost: then all are asked. A signal may be older than its descriptor: the connection that sent it
 * is closed, and another one has the number. Reading finds nothing then, no harm is done.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "lab/models/model.h"
#include "lab/models/peers.h"

static int watch(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETOWN, getpid()) < 0 || fcntl(fd, F_SETSIG, SIGRTMIN) < 0)
        return -1;
    return fcntl(fd, F_SETFL, flags | O_ASYNC | O_NONBLOCK);
}

/* What had come before the socket was to send signals sent none. */
static void accept_all(struct peers *peers, struct scratch *scratch)
{
    int fd;
    while ((fd = peers_accept(peers)) >= 0) {
        if (watch(fd) < 0)
            peers_end(peers, fd);
        else
            peers_drain(peers, scratch, fd);
    }
}

static void ask_all(struct peers *peers, struct scratch *scratch)
{
    accept_all(peers, scratch);
    for (int fd = 0; fd < peers->top; fd++)
        if (peers_has(peers, fd))
            peers_drain(peers, scratch, fd);
}

static int open_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGRTMIN);
    sigaddset(set, SIGIO);
    return sigprocmask(SIG_BLOCK, set, NULL);
}

static void run(struct server *server)
{
    struct peers peers;
    struct scratch scratch = {0};
    sigset_t set;
    siginfo_t info;
    if (open_signals(&set) < 0 || peers_open(&peers, server, PEERS_NONBLOCKING) < 0 ||
        watch(server->door) < 0)
        return;
    server_ready(server);
    for (;;) {
        int signal = sigwaitinfo(&set, &info);
        if (signal < 0 && errno != EINTR)
            return;
        if (signal == SIGIO)
            ask_all(&peers, &scratch);
        else if (signal > 0 && info.si_fd == server->door)
            accept_all(&peers, &scratch);
        else if (signal > 0 && peers_has(&peers, info.si_fd))
            peers_drain(&peers, &scratch, info.si_fd);
    }
}

const struct model model_sigio = {
    .name = "sigio",
    .teaches = "a queued signal for each event, taken one at a time; a full queue means: ask all",
    .ends = "at the descriptors of a process; signals are lost at RLIMIT_SIGPENDING",
    .is_steady = true,
    .run = run,
};
