#include "load/target.h"

#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Longer ones are no host names (RFC 1035, 2.3.4). */
#define HOST_MAX 255

/* Each has 28,000 ports, which come back from TIME_WAIT after a minute at most: enough for any
 * rate that one machine reaches. */
#define SHIFTS 64

static const struct addrinfo *prefer_ipv4(const struct addrinfo *list)
{
    for (const struct addrinfo *one = list; one; one = one->ai_next)
        if (one->ai_family == AF_INET)
            return one;
    return list;
}

const char *target_resolve(struct target *target, const struct url *url)
{
    char host[HOST_MAX + 1], port[6];
    if (url->host.n > HOST_MAX)
        return "the host name is too long";
    memcpy(host, url->host.p, url->host.n);
    host[url->host.n] = '\0';
    snprintf(port, sizeof port, "%u", (unsigned)url->port);

    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list;
    int error = getaddrinfo(host, port, &hints, &list);
    if (error)
        return gai_strerror(error);
    const struct addrinfo *chosen = prefer_ipv4(list);
    *target = (struct target){.length = chosen->ai_addrlen};
    memcpy(&target->address, chosen->ai_addr, chosen->ai_addrlen);
    freeaddrinfo(list);
    return NULL;
}

const char *target_unix(struct target *target, const char *path)
{
    size_t n = strlen(path);
    *target = (struct target){.address.un.sun_family = AF_UNIX};
    struct sockaddr_un *un = &target->address.un;
    if (n == 0)
        return "the path is missing";
    if (n >= sizeof un->sun_path)
        return "the path is too long for a unix socket";
    memcpy(un->sun_path, path, n);
    bool abstract = path[0] == '@';
    if (abstract)
        un->sun_path[0] = '\0'; /* and its name's length counts: no NUL at its end */
    target->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + !abstract);
    return NULL;
}

static bool is_loopback(const struct target *target)
{
    return target->address.any.sa_family == AF_INET &&
           ntohl(target->address.in4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

const char *target_spread(struct target *target, unsigned n)
{
    if (n > 1 && !is_loopback(target))
        return "only a target in 127.0.0.0/8 can be asked from several sources";
    target->sources = n;
    return NULL;
}

bool target_next_source(struct target *target)
{
    if (target->sources > 0 || !is_loopback(target))
        return false;
    target->shift++;
    return true;
}

unsigned target_source_count(const struct target *target)
{
    if (target->sources > 0)
        return target->sources;
    return target->shift < SHIFTS ? target->shift + 1 : SHIFTS;
}

static int bind_source(int fd, uint32_t offset)
{
    int on = 1;
    struct sockaddr_in from = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK + offset),
    };
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) < 0)
        return -1;
    return bind(fd, (const struct sockaddr *)&from, sizeof from);
}

/* As an offset to 127.0.0.1; 0 also where the kernel chooses. */
static uint32_t source_of(const struct target *target, unsigned id)
{
    return target->sources > 0 ? id % target->sources : target->shift % SHIFTS;
}

int target_socket(const struct target *target, unsigned id)
{
    int fd = socket(target->address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    bool bound = target->sources > 1 || target->shift > 0;
    if (bound && bind_source(fd, source_of(target, id)) < 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

int target_connect(const struct target *target, int fd)
{
    int done = connect(fd, &target->address.any, target->length);
    return done < 0 && errno == EINPROGRESS ? 0 : done;
}
