#include "os/steer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include "base/limits.h"
#include "os/net.h"
#include "support.h"

/* Room for the largest group that there can be. */
struct group {
    struct net_address address;
    struct net_address to; /* where its clients connect to */
    int fds[SLOTS_MAX];
    int hits[SLOTS_MAX];
    int count;
};

static struct net_address v4(const char *host, in_port_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = port};
    struct net_address a = {.length = sizeof in, .backlog = 1024};
    cr_assert_eq(inet_pton(AF_INET, host, &in.sin_addr), 1);
    memcpy(&a.storage, &in, sizeof in);
    return a;
}

static struct net_address v6(const char *host, in_port_t port, bool dual)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = port};
    struct net_address a = {.length = sizeof in6, .backlog = 1024, .dual = dual};
    cr_assert_eq(inet_pton(AF_INET6, host, &in6.sin6_addr), 1);
    memcpy(&a.storage, &in6, sizeof in6);
    return a;
}

static in_port_t port_of(const struct net_address *a)
{
    struct sockaddr_in in; /* at the same place for both families */
    memcpy(&in, &a->storage, sizeof in);
    return in.sin_port;
}

static bool is_here(struct net_address a)
{
    int fd = net_bind(&a);
    if (fd >= 0)
        close(fd);
    return fd >= 0 && (!a.dual || a.any.sa_family == AF_INET6);
}

static void open_group(struct group *g, struct net_address address, int count)
{
    g->address = address;
    g->count = count;
    for (int i = 0; i < count; i++) {
        g->fds[i] = i == 0 ? net_bind(&g->address) : net_join(&g->address);
        cr_assert_geq(g->fds[i], 0, "member %d: %m", i);
        cr_assert_eq(net_listen(g->fds[i], &g->address, 1), 0, "member %d: %m", i);
    }
    g->to = g->address;
}

static void close_group(struct group *g)
{
    for (int i = g->count; i-- > 0;)
        close(g->fds[i]);
}

static int client(const struct net_address *a)
{
    struct linger reset = {.l_onoff = 1}; /* leaves nothing in TIME_WAIT */
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0, "%m");
    cr_assert_eq(connect(fd, &a->any, a->length), 0, "%m");
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    return fd;
}

static int accept_all(int fd)
{
    int count = 0;
    for (int from; (from = accept(fd, NULL, NULL)) >= 0; count++)
        close(from);
    return count;
}

/* So many clients, at most 512 at once; `hits` is who got them. */
static void connect_many(struct group *g, int count)
{
    int clients[512], sum = 0;
    cr_assert_leq((size_t)count, LENGTH(clients));
    for (int i = 0; i < count; i++)
        clients[i] = client(&g->to);
    for (int i = 0; i < g->count; i++)
        sum += g->hits[i] = accept_all(g->fds[i]);
    cr_expect_eq(sum, count);
    for (int i = 0; i < count; i++)
        close(clients[i]);
}

/* With 200 clients among 8, that a member has none by chance happens once in 10 to the 10th. */
static void expect_spread(struct group *g, const int *members, size_t count, const char *name)
{
    bool is_member[SLOTS_MAX] = {false};
    for (size_t i = 0; i < count; i++)
        is_member[members[i]] = true;
    connect_many(g, 200);
    for (int i = 0; i < g->count; i++)
        if (is_member[i])
            cr_expect_gt(g->hits[i], 0, "%s: member %d of %zu has none", name, i, count);
        else
            cr_expect_eq(g->hits[i], 0, "%s: %d is no member and has %d", name, i, g->hits[i]);
}

static void expect_all(struct group *g, const char *name)
{
    const int all[] = {0, 1, 2, 3, 4, 5, 6, 7};
    expect_spread(g, all, LENGTH(all), name);
}

static void expect_steered(struct group *g, const int *members, size_t count, const char *name)
{
    /* Any member may be asked. */
    cr_assert_eq(steer_attach(g->fds[count % 8], members, count), 0, "%s: %m", name);
    expect_spread(g, members, count, name);
}

static void check_group(struct group *g, const char *name)
{
    static const int all[] = {0, 1, 2, 3, 4, 5, 6, 7}, mixed[] = {6, 1, 3}, split[] = {0, 2, 4, 6};
    expect_all(g, name);
    cr_expect_eq(steer_detach(g->fds[0]), 0, "%s: without a program: %m", name);
    expect_steered(g, (int[]){0}, 1, name);
    expect_steered(g, (int[]){7}, 1, name);
    expect_steered(g, mixed, LENGTH(mixed), name);
    expect_steered(g, split, LENGTH(split), name);
    expect_steered(g, all, LENGTH(all), name);
    expect_steered(g, (int[]){5}, 1, name);
    cr_expect_eq(steer_detach(g->fds[3]), 0, "%s: %m", name);
    expect_all(g, name);
}

Test(steer, ipv4)
{
    struct group g;
    open_group(&g, v4("127.0.0.1", 0), 8);
    check_group(&g, "127.0.0.1");
    close_group(&g);
}

Test(steer, ipv6)
{
    struct group g;
    if (!is_here(v6("::1", 0, false)))
        return;
    open_group(&g, v6("::1", 0, false), 8);
    check_group(&g, "::1");
    close_group(&g);
}

Test(steer, both_families_in_one_group)
{
    struct group g;
    if (!is_here(v6("::", 0, true)))
        return;
    open_group(&g, v6("::", 0, true), 8);
    g.to = v4("127.0.0.1", port_of(&g.address));
    check_group(&g, "IPv4 to [::]");
    if (is_here(v6("::1", 0, false))) {
        g.to = v6("::1", port_of(&g.address), false);
        check_group(&g, "IPv6 to [::]");
    }
    close_group(&g);
}

/* Every second one makes the longest program: so many runs, and the furthest jumps. */
Test(steer, the_largest_group)
{
    struct group g;
    int members[SLOTS_MAX], seen[SLOTS_MAX] = {0};
    open_group(&g, v4("127.0.0.1", 0), SLOTS_MAX);
    for (int offset = 0; offset < 2; offset++) {
        for (int i = 0; i < SLOTS_MAX / 2; i++)
            members[i] = 2 * i + offset;
        cr_assert_eq(steer_attach(g.fds[0], members, SLOTS_MAX / 2), 0, "%m");
        for (int round = 0; round < 8; round++) {
            connect_many(&g, 512);
            for (int i = 0; i < SLOTS_MAX; i++) {
                cr_expect(i % 2 == offset || g.hits[i] == 0, "%d has %d", i, g.hits[i]);
                seen[i] += g.hits[i];
            }
        }
    }
    /* 32 each are expected. */
    for (int i = 0; i < SLOTS_MAX; i++)
        cr_expect(seen[i] > 0 && seen[i] < 100, "%d has %d", i, seen[i]);
    for (int i = 0; i < SLOTS_MAX; i++)
        members[i] = i;
    cr_expect_eq(steer_attach(g.fds[255], members, SLOTS_MAX), 0, "%m");
    cr_expect_eq(steer_attach(g.fds[1], (int[]){255}, 1), 0, "%m");
    connect_many(&g, 10);
    cr_expect_eq(g.hits[255], 10);
    close_group(&g);
}

/* Who joins is steered around until the next attach. */
Test(steer, a_member_that_joins_later_has_to_wait)
{
    struct group g;
    open_group(&g, v4("127.0.0.1", 0), 2);
    cr_assert_eq(steer_attach(g.fds[0], (int[]){0, 1}, 2), 0, "%m");
    g.fds[2] = net_join(&g.address);
    cr_assert_eq(net_listen(g.fds[2], &g.address, 1), 0, "%m");
    g.count = 3;
    expect_spread(&g, (int[]){0, 1}, 2, "before");
    cr_assert_eq(steer_attach(g.fds[0], (int[]){0, 1, 2}, 3), 0, "%m");
    expect_spread(&g, (int[]){0, 1, 2}, 3, "after");
    close_group(&g);
}

static void expect_failure(int fd, const int *members, size_t count, int cause, const char *name)
{
    errno = 0;
    cr_expect_eq(steer_attach(fd, members, count), -1, "%s", name);
    cr_expect_eq(errno, cause, "%s: %m", name);
}

Test(steer, what_is_no_group_and_no_member)
{
    struct group g;
    open_group(&g, v4("127.0.0.1", 0), 2);
    expect_failure(g.fds[0], NULL, 0, EINVAL, "no member");
    expect_failure(g.fds[0], (int[]){1, 0, 1}, 3, EINVAL, "one twice");
    expect_failure(g.fds[0], (int[]){-1}, 1, EINVAL, "below");
    expect_failure(g.fds[0], (int[]){SLOTS_MAX}, 1, EINVAL, "above");
    expect_failure(-1, (int[]){0}, 1, EBADF, "no descriptor");
    close_group(&g);
    open_group(&g, v4("127.0.0.1", 0), 1);
    expect_failure(g.fds[0], (int[]){0}, 1, EINVAL, "a single socket");
    cr_expect_eq(steer_detach(g.fds[0]), 0, "a single socket: %m");
    close_group(&g);
    errno = 0;
    cr_expect_eq(steer_detach(-1), -1);
    cr_expect_eq(errno, EBADF, "%m");
}
