#include "lab/client/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

/* 127.0.0.1 is left to those for whom the kernel chooses. */
#define FIRST_SOURCE (INADDR_LOOPBACK + 1)

static bool is_loopback(const struct net_address *address)
{
    struct sockaddr_in in;
    if (address->any.sa_family != AF_INET)
        return false;
    memcpy(&in, &address->storage, sizeof in);
    return ntohl(in.sin_addr.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
}

void dial_init(struct dial *dial, const struct net_address *to, unsigned sources)
{
    *dial = (struct dial){.to = to, .sources = is_loopback(to) ? sources : 0, .spare = -1};
}

/* The port is left open until connect(2), where one port serves many sources. */
static int bind_source(struct dial *dial, int fd)
{
    int on = 1;
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(FIRST_SOURCE + dial->next)};
    dial->next = (dial->next + 1) % dial->sources;
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) < 0)
        return -1;
    return bind(fd, (struct sockaddr *)&in, sizeof in);
}

int dial_socket(struct dial *dial, int flags)
{
    int fd = socket(dial->to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0 || dial->sources == 0 || bind_source(dial, fd) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int dial_take(struct dial *dial)
{
    int spare = dial->spare;
    dial->spare = -1;
    return spare >= 0 ? spare : dial_socket(dial, 0);
}

void dial_put_back(struct dial *dial, int fd)
{
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    /* A source address stays a socket's, and the next turn is another's. */
    if (dial->sources > 0 || connect(fd, &nobody, sizeof nobody) < 0)
        dial_hang_up(fd);
    else
        dial->spare = fd;
}

int dial_connect(const struct dial *dial, int fd)
{
    return connect(fd, &dial->to->any, dial->to->length);
}

void dial_hang_up(int fd)
{
    /* Where it fails the connection is closed with its usual ceremony, which is as good. */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    close(fd);
}
