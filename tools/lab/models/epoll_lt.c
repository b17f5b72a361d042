/*
 * epoll-lt - epoll(7), level-triggered: the kernel keeps the set, and a wait returns only what is
 * ready, as long as it is. Who reads less than there is hears of it again.
 */
#include <errno.h>
#include <sys/epoll.h>

#include "lab/models/model.h"
#include "lab/models/peers.h"

#define BATCH 64

static int watch(int epoll_fd, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void accept_all(struct peers *peers, int epoll_fd)
{
    int fd;
    while ((fd = peers_accept(peers)) >= 0)
        if (watch(epoll_fd, fd) < 0)
            peers_end(peers, fd);
}

static void run(struct server *server)
{
    struct peers peers;
    struct scratch scratch = {0};
    struct epoll_event events[BATCH];
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0 || peers_open(&peers, server, PEERS_NONBLOCKING) < 0 ||
        watch(epoll_fd, server->door) < 0)
        return;
    server_ready(server);
    for (;;) {
        int n = epoll_wait(epoll_fd, events, BATCH, -1);
        if (n < 0 && errno != EINTR)
            return;
        for (int i = 0; i < n; i++)
            if (events[i].data.fd == server->door)
                accept_all(&peers, epoll_fd);
            else
                peers_serve(&peers, &scratch, events[i].data.fd);
    }
}

const struct model model_epoll_lt = {
    .name = "epoll-lt",
    .teaches = "the kernel keeps the set and returns what is ready: flat, however many are idle",
    .ends = "at the descriptors of a process",
    .is_steady = true,
    .run = run,
};
