#include "lab/models/epoll_loop.h"

#include <errno.h>
#include <sys/epoll.h>

#define BATCH 64

static int watch(int epoll_fd, int fd, uint32_t flags)
{
    struct epoll_event event = {.events = EPOLLIN | flags, .data.fd = fd};
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* What has come before epoll_ctl(2) is an edge, too. */
static void accept_all(struct peers *peers, int epoll_fd, uint32_t flags)
{
    int fd;
    while ((fd = peers_accept(peers)) >= 0)
        if (watch(epoll_fd, fd, flags) < 0)
            peers_end(peers, fd);
}

void epoll_loop_run(struct server *server, uint32_t flags, epoll_loop_answer *answer)
{
    struct peers peers;
    struct scratch scratch = {0};
    struct epoll_event events[BATCH];
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0 || peers_open(&peers, server, PEERS_NONBLOCKING) < 0 ||
        watch(epoll_fd, server->door, flags) < 0)
        return;
    server_ready(server);
    for (;;) {
        int n = epoll_wait(epoll_fd, events, BATCH, -1);
        if (n < 0 && errno != EINTR)
            return;
        for (int i = 0; i < n; i++)
            if (events[i].data.fd == server->door)
                accept_all(&peers, epoll_fd, flags);
            else
                answer(&peers, &scratch, events[i].data.fd);
    }
}
