#include "os/probe_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/net.h"
#include "os/steer.h"

/* Clients of one choice: that chance does as the program says happens once in 2 to the 8th. */
#define CLIENTS 8

struct group {
    struct net_address address;
    int fds[2];
};

static int set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

/* -------------------------------------------------------------------------------- listeners */

static void loopback(struct net_address *a, int family)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    *a = (struct net_address){.backlog = CLIENTS};
    a->length = family == AF_INET ? sizeof in : sizeof in6;
    if (family == AF_INET)
        memcpy(&a->storage, &in, sizeof in);
    else
        memcpy(&a->storage, &in6, sizeof in6);
}

/* Bound, and not listening. A machine may have one family alone; of the two, the words about IPv4
 * are the ones to tell. */
static int bind_any(struct net_address *a)
{
    loopback(a, AF_INET);
    int fd = net_bind(a);
    if (fd >= 0)
        return fd;
    int saved = errno;
    loopback(a, AF_INET6);
    fd = net_bind(a);
    errno = saved;
    return fd;
}

/* As net_listen(), with nothing set that is not asked about. */
static int listen_shared(int fd)
{
    if (listen(fd, CLIENTS) < 0)
        return -1;
    return set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

/* Fails with PROBE_UNKNOWN where there is no socket, and PROBE_NO where there is no group. */
static enum probe_verdict open_group(struct group *g)
{
    g->fds[0] = bind_any(&g->address);
    if (g->fds[0] < 0)
        return PROBE_UNKNOWN;
    if (listen_shared(g->fds[0]) < 0)
        return PROBE_NO;
    g->fds[1] = net_join(&g->address);
    return g->fds[1] < 0 || listen_shared(g->fds[1]) < 0 ? PROBE_NO : PROBE_YES;
}

struct probe probe_reuseport(int unused)
{
    struct group g;
    (void)unused;
    return probe_is(open_group(&g));
}

struct probe probe_backlog(int backlog)
{
    struct net_address a;
    struct net_queue queue;
    int fd = bind_any(&a);
    if (fd < 0 || listen(fd, backlog) < 0 || net_queue(fd, &queue) < 0)
        return probe_is(PROBE_UNKNOWN);
    if (queue.limit == 0) {
        errno = ENOTSUP;
        return probe_is(PROBE_UNKNOWN);
    }
    return (struct probe){.verdict = queue.limit < (unsigned)backlog ? PROBE_NO : PROBE_YES,
                          .value = queue.limit};
}

/* ---------------------------------------------------------------------------------- clients */

static int client(const struct net_address *a, int flags)
{
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd >= 0 && connect(fd, &a->any, a->length) < 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool is_ready(int fd, short events, int ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    return poll(&p, 1, ms) > 0;
}

/* Which of two has something to read, soon; -1: none. */
static int first_ready(int one, int other)
{
    struct pollfd p[] = {{.fd = one, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    if (poll(p, 2, PROBE_ANSWER_MS) <= 0)
        return -1;
    return p[0].revents ? 0 : 1;
}

/* errno is 0 where nothing but the effect lacks. */
static struct probe without_effect(void)
{
    errno = 0;
    return probe_is(PROBE_NO);
}

/* Do all clients come to this member? */
static struct probe all_go_to(const struct group *g, int member)
{
    for (int i = 0; i < CLIENTS; i++) {
        int fd = client(&g->address, 0);
        if (fd < 0)
            return probe_is(PROBE_UNKNOWN);
        if (first_ready(g->fds[0], g->fds[1]) != member)
            return without_effect();
        close(accept(g->fds[member], NULL, NULL));
        close(fd);
    }
    return probe_is(PROBE_YES);
}

/* Both in turn, so that neither is chance, with what makes the group choose that member. */
static struct probe steers(const struct group *g, int (*attach)(int fd, int member))
{
    struct probe probe = probe_is(PROBE_YES);
    for (int member = 0; member < 2 && probe.verdict == PROBE_YES; member++)
        probe = attach(g->fds[0], member) < 0 ? probe_is(PROBE_NO) : all_go_to(g, member);
    return probe;
}

/* An interface that is down takes an address, and no client. */
struct probe probe_listener(int unused)
{
    struct net_address a;
    (void)unused;
    int fd = bind_any(&a);
    if (fd < 0 || listen(fd, CLIENTS) < 0 || client(&a, 0) < 0)
        return probe_is(PROBE_NO);
    return is_ready(fd, POLLIN, PROBE_ANSWER_MS) ? probe_is(PROBE_YES) : without_effect();
}

/* --------------------------------------------------------------------------------- steering */

static int attach_classic(int fd, int member)
{
    return steer_attach(fd, &member, 1);
}

struct probe probe_classic_bpf(int unused)
{
    struct group g;
    (void)unused;
    enum probe_verdict verdict = open_group(&g);
    return verdict == PROBE_YES ? steers(&g, attach_classic) : probe_is(verdict);
}

/* `return member`: what a program of a group returns is an index. */
static int load_program(int member)
{
    static const char license[] = "GPL";
    const struct bpf_insn code[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = member},
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr); /* the kernel refuses what it does not know, unless it is 0 */
    attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    attr.insn_cnt = sizeof code / sizeof *code;
    attr.insns = (uintptr_t)code;
    attr.license = (uintptr_t)license;
    return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
}

static int attach_extended(int fd, int member)
{
    int program = load_program(member);
    return program < 0 ? -1 : set(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, program);
}

struct probe probe_extended_bpf(int unused)
{
    struct group g;
    (void)unused;
    enum probe_verdict verdict = open_group(&g);
    return verdict == PROBE_YES ? steers(&g, attach_extended) : probe_is(verdict);
}

/* ------------------------------------------------------------------------ how clients come in */

struct probe probe_defer_accept(int unused)
{
    struct net_address a;
    (void)unused;
    int fd = bind_any(&a);
    if (fd < 0 || listen(fd, CLIENTS) < 0)
        return probe_is(PROBE_UNKNOWN);
    if (set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, PROBE_SECONDS) < 0)
        return probe_is(PROBE_NO);
    int from = client(&a, 0);
    if (from < 0)
        return probe_is(PROBE_UNKNOWN);
    if (is_ready(fd, POLLIN, PROBE_STILL_MS))
        return without_effect();
    if (send(from, "", 1, MSG_NOSIGNAL) < 0)
        return probe_is(PROBE_NO);
    return is_ready(fd, POLLIN, PROBE_ANSWER_MS) ? probe_is(PROBE_YES) : without_effect();
}

struct probe probe_drop_new(int unused)
{
    struct net_address a;
    (void)unused;
    int fd = bind_any(&a);
    if (fd < 0 || listen(fd, CLIENTS) < 0)
        return probe_is(PROBE_UNKNOWN);
    if (net_drop_new(fd) < 0)
        return probe_is(PROBE_NO);
    int from = client(&a, SOCK_NONBLOCK);
    if (from < 0)
        return probe_is(PROBE_UNKNOWN);
    return is_ready(from, POLLOUT, PROBE_STILL_MS) ? without_effect() : probe_is(PROBE_YES);
}

/* --------------------------------------------------------------------------------- migration */

/* Does what the client sends arrive at who was accepted there? */
static bool is_served(int from, int listener)
{
    char byte = 0;
    int to = accept(listener, NULL, NULL);
    return to >= 0 && send(from, "x", 1, MSG_NOSIGNAL) == 1 &&
           is_ready(to, POLLIN, PROBE_ANSWER_MS) && recv(to, &byte, 1, 0) == 1 && byte == 'x';
}

struct probe probe_migration(int unused)
{
    struct group g;
    (void)unused;
    enum probe_verdict verdict = open_group(&g);
    if (verdict != PROBE_YES)
        return probe_is(verdict == PROBE_NO ? PROBE_UNKNOWN : verdict);
    int from = client(&g.address, 0);
    int at = from < 0 ? -1 : first_ready(g.fds[0], g.fds[1]);
    if (at < 0)
        return probe_is(PROBE_UNKNOWN);
    close(g.fds[at]);
    /* The client has something to read only when it was reset. */
    bool is_moved = first_ready(from, g.fds[!at]) == 1;
    return is_moved && is_served(from, g.fds[!at]) ? probe_is(PROBE_YES) : without_effect();
}
