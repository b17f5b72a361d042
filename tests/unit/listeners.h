/*
 * listeners - listening sockets on loopback, as a service manager or an earlier server made them.
 */
#ifndef DROVER_TESTS_LISTENERS_H
#define DROVER_TESTS_LISTENERS_H

#include <arpa/inet.h>
#include <netinet/in.h>

#include "os/net.h"
#include "support.h"

/* 127.0.0.1, at the port that the kernel chooses. */
static inline struct net_address loopback(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct net_address a = {.length = sizeof in, .backlog = 16};
    memcpy(&a.storage, &in, sizeof in);
    return a;
}

/* `count` sockets in one reuseport group; the address gets its port. */
static inline void listen_in_group(struct net_address *a, int *fds, int count)
{
    for (int i = 0; i < count; i++) {
        fds[i] = i == 0 ? net_bind(a) : net_join(a);
        cr_assert_geq(fds[i], 0, "member %d: %m", i);
        cr_assert_eq(net_listen(fds[i], a, 1), 0, "member %d: %m", i);
    }
}

static inline int listen_alone(struct net_address *a)
{
    int fd;
    *a = loopback();
    listen_in_group(a, &fd, 1);
    return fd;
}

static inline int listen_unix(struct net_address *a, const char *directory)
{
    *a = (struct net_address){.un = {.sun_family = AF_UNIX}, .backlog = 16};
    int n = snprintf(a->un.sun_path, sizeof a->un.sun_path, "%s/socket", directory);
    a->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n + 1);
    int fd = net_bind(a);
    cr_assert_geq(fd, 0, "%m");
    cr_assert_eq(net_listen(fd, a, 0), 0, "%m");
    return fd;
}

static inline bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

#endif
