#include "os/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "support.h"

static struct net_address v4(const char *host, unsigned short port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct net_address a = {.length = sizeof in, .backlog = 64};
    cr_assert_eq(inet_pton(AF_INET, host, &in.sin_addr), 1);
    memcpy(&a.storage, &in, sizeof in);
    return a;
}

static struct net_address v6(const char *host, unsigned short port, bool dual)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct net_address a = {.length = sizeof in6, .backlog = 64, .dual = dual};
    cr_assert_eq(inet_pton(AF_INET6, host, &in6.sin6_addr), 1);
    memcpy(&a.storage, &in6, sizeof in6);
    return a;
}

/* "@name" is abstract. */
static struct net_address local(const char *path)
{
    size_t n = strlen(path);
    struct net_address a = {.un = {.sun_family = AF_UNIX}, .backlog = 64};
    cr_assert_lt(n, sizeof a.un.sun_path);
    memcpy(a.un.sun_path, path, n);
    if (path[0] == '@')
        a.un.sun_path[0] = '\0';
    a.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] != '@'));
    return a;
}

/* Some containers have no IPv6 at all, and some have it, but no ::1. */
static bool has_v6(void)
{
    struct net_address a = v6("::1", 0, false);
    int fd = net_bind(&a);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static unsigned port_of(const struct net_address *a)
{
    struct sockaddr_in in; /* at the same place for both families */
    memcpy(&in, &a->storage, sizeof in);
    return ntohs(in.sin_port);
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    cr_assert_eq(getsockopt(fd, level, name, &value, &size), 0, "%m");
    return value;
}

static int client(const struct net_address *a)
{
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    if (connect(fd, &a->any, a->length) == 0)
        return fd;
    int cause = errno;
    close(fd);
    errno = cause;
    return -1;
}

static void expect_client(const struct net_address *a, const char *name)
{
    int fd = client(a);
    cr_expect_geq(fd, 0, "%s: %m", name);
    close(fd);
}

static int bind_and_listen(struct net_address *a)
{
    int fd = net_bind(a);
    cr_assert_geq(fd, 0, "bind: %m");
    cr_assert_eq(net_listen(fd, a, 1), 0, "listen: %m");
    return fd;
}

static void expect_failure(struct net_address a, int cause, const char *name)
{
    int before = count_fds();
    errno = 0;
    int fd = net_bind(&a);
    cr_expect_lt(fd, 0, "%s", name);
    cr_expect_eq(errno, cause, "%s: %m", name);
    if (fd >= 0)
        close(fd);
    cr_expect_eq(count_fds(), before, "%s: a socket stays open", name);
}

/* ---------------------------------------------------------------------------------------- TCP */

static void check_port_0(struct net_address a, const char *name)
{
    int fd = net_bind(&a);
    cr_assert_geq(fd, 0, "%s: %m", name);
    cr_expect_neq(port_of(&a), 0, "%s: the kernel has chosen", name);
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC, "%s", name);
    cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK, "%s", name);
    cr_expect_eq(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 0, "%s: does not listen yet", name);
    cr_expect_lt(client(&a), 0, "%s: and refuses", name);
    cr_expect_eq(net_listen(fd, &a, 1), 0, "%s: %m", name);
    cr_expect_eq(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1, "%s", name);
    cr_expect_eq(option(fd, SOL_SOCKET, SO_REUSEPORT), 1, "%s", name);
    cr_expect_eq(option(fd, IPPROTO_TCP, TCP_NODELAY), 1, "%s", name);
    cr_expect_eq(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1, "%s", name);
    cr_expect_eq(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), KEEPALIVE_IDLE_S, "%s", name);
    expect_client(&a, name);
    close(fd);
}

Test(net, port_0_is_what_the_kernel_makes_of_it)
{
    check_port_0(v4("127.0.0.1", 0), "127.0.0.1");
    check_port_0(v4("0.0.0.0", 0), "0.0.0.0");
    if (has_v6())
        check_port_0(v6("::1", 0, false), "::1");
}

Test(net, a_dual_address_takes_clients_of_both_families)
{
    struct net_address a = v6("::", 0, true);
    int fd = bind_and_listen(&a);
    struct net_address as_v4 = v4("127.0.0.1", (unsigned short)port_of(&a));
    expect_client(&as_v4, "IPv4");
    if (has_v6()) {
        struct net_address as_v6 = v6("::1", (unsigned short)port_of(&a), false);
        expect_client(&as_v6, "IPv6");
        cr_expect(a.dual);
    } else if (!a.dual) {
        cr_expect_eq(a.any.sa_family, AF_INET, "it fell back");
        cr_expect_eq(a.length, sizeof(struct sockaddr_in));
    }
    close(fd);
}

Test(net, one_of_ipv6_alone_takes_no_ipv4)
{
    if (!has_v6())
        return;
    struct net_address a = v6("::", 0, false);
    int fd = bind_and_listen(&a);
    struct net_address as_v4 = v4("127.0.0.1", (unsigned short)port_of(&a));
    cr_expect_lt(client(&as_v4), 0);
    close(fd);
}

Test(net, defer)
{
    for (int defer = 0; defer <= 1; defer++) {
        struct net_address a = v4("127.0.0.1", 0);
        a.defer = defer;
        int fd = net_bind(&a);
        cr_assert_geq(fd, 0, "%m");
        cr_assert_eq(net_listen(fd, &a, 10), 0);
        cr_expect_eq(option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT) > 0, defer);
        int from = client(&a);
        cr_assert_geq(from, 0, "%m");
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (defer)
            cr_assert_eq(send(from, "x", 1, 0), 1);
        cr_expect_eq(poll(&p, 1, 5000), 1, "it can be accepted");
        close(from);
        close(fd);
    }
}

Test(net, backlog)
{
    struct net_address a = v4("127.0.0.1", 0);
    struct tcp_info info;
    socklen_t size = sizeof info;
    a.backlog = 3;
    int fd = bind_and_listen(&a);
    cr_assert_eq(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    cr_expect_eq(info.tcpi_sacked, 3, "%u", info.tcpi_sacked);
    close(fd);
}

/* ------------------------------------------------------------------------------------ the group */

#define MEMBERS 4

static int accepted(int fd)
{
    int count = 0;
    for (int from; (from = accept(fd, NULL, NULL)) >= 0; count++)
        close(from);
    return count;
}

Test(net, members_of_a_group_share_the_clients)
{
    struct net_address a = v4("127.0.0.1", 0);
    int members[MEMBERS], clients[64], sum = 0;
    members[0] = net_bind(&a);
    for (int i = 1; i < MEMBERS; i++)
        members[i] = net_join(&a);
    for (int i = 0; i < MEMBERS; i++) {
        cr_assert_geq(members[i], 0, "%d: %m", i);
        cr_expect(fcntl(members[i], F_GETFD) & FD_CLOEXEC);
        cr_expect(fcntl(members[i], F_GETFL) & O_NONBLOCK);
        cr_assert_eq(net_listen(members[i], &a, 1), 0, "%d: %m", i);
    }
    for (size_t i = 0; i < LENGTH(clients); i++)
        cr_assert_geq(clients[i] = client(&a), 0, "%m");
    for (int i = 0; i < MEMBERS; i++) {
        int count = accepted(members[i]);
        cr_expect_gt(count, 0, "member %d has none: once in 10 to the 7th run that is chance", i);
        sum += count;
        close(members[i]);
    }
    cr_expect_eq(sum, LENGTH(clients));
    for (size_t i = 0; i < LENGTH(clients); i++)
        close(clients[i]);
}

Test(net, members_may_join_later)
{
    struct net_address a = v4("127.0.0.1", 0);
    int first = bind_and_listen(&a);
    int second = net_join(&a);
    cr_expect_geq(second, 0, "%m");
    cr_expect_eq(net_listen(second, &a, 1), 0, "%m");
    close(second);
    close(first);
}

Test(net, an_address_in_use_is_no_group_to_join)
{
    struct net_address a = v4("127.0.0.1", 0);
    int fd = bind_and_listen(&a);
    expect_failure(a, EADDRINUSE, "the same");
    expect_failure(v4("0.0.0.0", (unsigned short)port_of(&a)), EADDRINUSE, "all addresses");
    if (has_v6())
        expect_failure(v6("::", (unsigned short)port_of(&a), true), EADDRINUSE, "both families");
    close(fd);
    fd = net_bind(&a);
    cr_expect_geq(fd, 0, "it is free again: %m");
    close(fd);
}

/* One that was not made by drover, without SO_REUSEPORT. */
Test(net, another_servers_socket_cannot_be_joined)
{
    struct net_address a = v4("127.0.0.1", 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, &a.any, a.length), 0);
    cr_assert_eq(getsockname(fd, &a.any, &a.length), 0);
    cr_assert_eq(listen(fd, 1), 0);
    expect_failure(a, EADDRINUSE, "bind");
    cr_expect_lt(net_join(&a), 0);
    cr_expect_eq(errno, EADDRINUSE, "%m");
    close(fd);
}

/* A connection that was closed by the server waits in TIME_WAIT on its port. */
Test(net, a_restart_need_not_wait_for_old_connections)
{
    struct net_address a = v4("127.0.0.1", 0);
    int fd = bind_and_listen(&a);
    int from = client(&a);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    cr_assert_eq(poll(&p, 1, 5000), 1);
    close(accept(fd, NULL, NULL));
    char byte;
    cr_expect_eq(recv(from, &byte, 1, 0), 0);
    close(from);
    close(fd);
    fd = net_bind(&a);
    cr_expect_geq(fd, 0, "%m");
    close(fd);
}

Test(net, an_address_that_is_not_of_this_host)
{
    expect_failure(v4("192.0.2.1", 0), EADDRNOTAVAIL, "192.0.2.1, TEST-NET-1");
}

/* --------------------------------------------------------------------------------------- unix */

Test(net, a_socket_file)
{
    char dir[64], path[80];
    struct stat st;
    make_directory(dir);
    snprintf(path, sizeof path, "%s/sock", dir);
    struct net_address a = local(path);
    int fd = bind_and_listen(&a);
    cr_expect(lstat(path, &st) == 0 && S_ISSOCK(st.st_mode));
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
    expect_client(&a, path);
    expect_failure(a, EADDRINUSE, "a server listens there");
    expect_client(&a, "and goes on");
    net_unlink(&a);
    cr_expect_lt(lstat(path, &st), 0, "it is gone");
    close(fd);
    remove_tree(dir);
}

Test(net, a_stale_socket_file_is_removed)
{
    char dir[64], path[80];
    make_directory(dir);
    snprintf(path, sizeof path, "%s/sock", dir);
    struct net_address a = local(path);
    close(bind_and_listen(&a)); /* killed: nobody has removed the file */
    int before = count_fds();
    int fd = bind_and_listen(&a);
    expect_client(&a, "the new one");
    close(fd);
    cr_expect_eq(count_fds(), before);
    remove_tree(dir);
}

/* Whatever is not a socket is somebody's, and stays. */
Test(net, no_other_file_is_removed)
{
    char dir[64], path[80], target[80];
    struct stat st;
    make_directory(dir);
    snprintf(path, sizeof path, "%s/file", dir);
    snprintf(target, sizeof target, "%s/target", dir);
    struct net_address a = local(path);
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    expect_failure(a, EADDRINUSE, "a file");
    cr_expect_eq(lstat(path, &st), 0);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(mkdir(path, 0755), 0);
    expect_failure(a, EADDRINUSE, "a directory");
    cr_assert_eq(rmdir(path), 0);
    struct net_address stale = local(target);
    close(bind_and_listen(&stale));
    cr_assert_eq(symlink(target, path), 0);
    expect_failure(a, EADDRINUSE, "a link to a stale socket");
    cr_expect_eq(lstat(path, &st), 0);
    cr_expect_eq(lstat(target, &st), 0);
    snprintf(path, sizeof path, "%s/no/sock", dir);
    expect_failure(local(path), ENOENT, "no directory");
    remove_tree(dir);
}

Test(net, an_abstract_name)
{
    char name[64];
    snprintf(name, sizeof name, "@drover-test-%d", (int)getpid());
    struct net_address a = local(name);
    int fd = bind_and_listen(&a);
    expect_client(&a, name);
    expect_failure(a, EADDRINUSE, "a server listens there");
    net_unlink(&a); /* there is no file */
    expect_client(&a, name);
    close(fd);
    fd = net_bind(&a);
    cr_expect_geq(fd, 0, "it went with its socket: %m");
    close(fd);
}

Test(net, unix_sockets_are_shared)
{
    struct net_address a = v4("127.0.0.1", 80), b = v6("::1", 80, false), c = local("/x"),
                       d = local("@x");
    cr_expect_not(net_is_shared(&a));
    cr_expect_not(net_is_shared(&b));
    cr_expect(net_is_shared(&c));
    cr_expect(net_is_shared(&d));
}

/* ------------------------------------------------------------------------------------- the queue
 */

static int try_client(const struct net_address *a)
{
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    if (connect(fd, &a->any, a->length) < 0)
        cr_assert(errno == EINPROGRESS || errno == EAGAIN, "%m");
    return fd;
}

static struct net_queue queue_of(int fd)
{
    struct net_queue queue = {.queued = 77, .limit = 77, .drops = 77};
    cr_assert_eq(net_queue(fd, &queue), 0, "%m");
    return queue;
}

/* The kernel lets one more in than the backlog says, and drops what comes then. */
static void check_queue(struct net_address a, const char *name)
{
    int clients[8];
    a.backlog = 4;
    int fd = bind_and_listen(&a);
    struct net_queue queue = queue_of(fd);
    cr_expect(queue.queued == 0 && queue.limit == 4 && queue.drops == 0, "%s", name);
    for (unsigned i = 0; i < LENGTH(clients); i++) {
        clients[i] = try_client(&a);
        queue = queue_of(fd);
        cr_expect_eq(queue.queued, i < 5 ? i + 1 : 5, "%s: %u: %u", name, i, queue.queued);
        cr_expect_eq(queue.limit, 4, "%s", name);
        cr_expect_geq(queue.drops, i < 5 ? 0 : i - 4, "%s: %u", name, i);
    }
    int taken = accept(fd, NULL, NULL);
    cr_expect_eq(queue_of(fd).queued, 4, "%s: one was accepted", name);
    close(taken);
    for (size_t i = 0; i < LENGTH(clients); i++)
        close(clients[i]);
    close(fd);
}

Test(net, queue)
{
    check_queue(v4("127.0.0.1", 0), "127.0.0.1");
    if (has_v6())
        check_queue(v6("::1", 0, false), "::1");
}

Test(net, who_has_said_nothing_is_not_in_the_queue)
{
    struct net_address a = v4("127.0.0.1", 0);
    a.defer = true;
    int fd = net_bind(&a);
    cr_assert_eq(net_listen(fd, &a, 10), 0, "%m");
    int from = client(&a);
    cr_expect_eq(queue_of(fd).queued, 0);
    cr_assert_eq(send(from, "x", 1, 0), 1);
    cr_expect_eq(queue_of(fd).queued, 1);
    close(from);
    close(fd);
}

Test(net, the_queue_of_a_unix_socket)
{
    struct net_address a = local("@drover-test-queue");
    int fd = bind_and_listen(&a);
    cr_expect_eq(queue_of(fd).queued, 0);
    int first = client(&a), second = client(&a);
    struct net_queue queue = queue_of(fd);
    cr_expect_eq(queue.queued, 1, "somebody waits");
    cr_expect(queue.limit == 0 && queue.drops == 0);
    close(accept(fd, NULL, NULL));
    close(accept(fd, NULL, NULL));
    cr_expect_eq(queue_of(fd).queued, 0);
    close(second);
    close(first);
    close(fd);
}

Test(net, what_has_no_queue)
{
    struct net_address a = v4("127.0.0.1", 0);
    struct net_queue queue;
    int fd = net_bind(&a);
    cr_expect_eq(net_queue(fd, &queue), -1);
    cr_expect_eq(errno, EINVAL, "%m");
    close(fd);
    cr_expect_eq(net_queue(fd, &queue), -1);
    cr_expect_eq(errno, EBADF, "%m");
    fd = make_file(1);
    cr_expect_eq(net_queue(fd, &queue), -1);
    cr_expect_eq(errno, ENOTSOCK, "%m");
    close(fd);
}

/* ------------------------------------------------------------------------------- who begins now */

/* What became of a connect(2) within so many milliseconds: EINPROGRESS if there is no answer. */
static int outcome(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, ms) == 0 ? EINPROGRESS : option(fd, SOL_SOCKET, SO_ERROR);
}

static void expect_accepted(int fd, const char *name)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    cr_assert_eq(poll(&p, 1, 5000), 1, "%s", name);
    int taken = accept(fd, NULL, NULL);
    cr_expect_geq(taken, 0, "%s: %m", name);
    char byte = 0;
    p.fd = taken;
    cr_expect(poll(&p, 1, 5000) == 1 && recv(taken, &byte, 1, 0) == 1 && byte == 'x', "%s", name);
    close(taken);
}

/* Linux 6.18 wants CAP_NET_ADMIN for it. */
static bool may_filter(void)
{
    struct net_address a = v4("127.0.0.1", 0);
    int fd = bind_and_listen(&a);
    bool may = net_drop_new(fd) == 0;
    cr_expect(may || errno == EPERM, "%m");
    close(fd);
    return may;
}

/* With `defer` the handshake of who has begun is not over, and its last packets go to the filter.
 */
static void check_filter(struct net_address a, struct net_address to, bool defer, const char *name)
{
    a.defer = defer;
    int fd = net_bind(&a);
    cr_assert_eq(net_listen(fd, &a, 10), 0, "%m");
    memcpy((char *)&to.storage + 2, (char *)&a.storage + 2, sizeof(in_port_t));
    int early = client(&to);
    cr_assert_geq(early, 0, "%s: %m", name);
    cr_assert_eq(net_drop_new(fd), 0, "%s: %m", name);
    int late = try_client(&to);
    cr_expect_eq(outcome(late, 300), EINPROGRESS, "%s", name);
    cr_expect_gt(queue_of(fd).drops, 0, "%s", name);
    cr_expect_eq(send(early, "x", 1, 0), 1, "%s", name);
    expect_accepted(fd, name);
    close(fd);
    cr_expect_eq(outcome(late, 5000), ECONNREFUSED, "%s: it has tried again", name);
    cr_expect_lt(client(&to), 0, "%s", name);
    close(early);
    close(late);
}

Test(net, who_has_begun_gets_in_and_who_begins_does_not)
{
    if (!may_filter())
        return;
    check_filter(v4("127.0.0.1", 0), v4("127.0.0.1", 0), false, "127.0.0.1");
    check_filter(v4("127.0.0.1", 0), v4("127.0.0.1", 0), true, "127.0.0.1, defer");
    if (!has_v6())
        return;
    check_filter(v6("::1", 0, false), v6("::1", 0, false), true, "::1, defer");
    check_filter(v6("::", 0, true), v4("127.0.0.1", 0), true, "IPv4 to [::], defer");
}

Test(net, who_begins_is_admitted_again)
{
    struct net_address a = v4("127.0.0.1", 0);
    if (!may_filter())
        return;
    int fd = bind_and_listen(&a);
    cr_expect_eq(net_admit_new(fd), 0, "there is no filter: %m");
    cr_assert_eq(net_drop_new(fd), 0, "%m");
    cr_assert_eq(net_drop_new(fd), 0, "twice: %m");
    int from = try_client(&a);
    cr_expect_eq(net_admit_new(fd), 0, "%m");
    expect_client(&a, "at once");
    cr_expect_eq(outcome(from, 5000), 0, "it has tried again");
    close(from);
    close(fd);
}

Test(net, where_there_can_be_no_filter)
{
    struct net_address a = v4("127.0.0.1", 0), b = local("@drover-test-filter");
    int fd = bind_and_listen(&a);
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &(int){1}, sizeof(int)), 0, "%m");
    cr_expect_eq(net_drop_new(fd), -1);
    cr_expect_eq(errno, EPERM, "%m");
    close(fd);
    fd = bind_and_listen(&b);
    cr_expect_eq(net_drop_new(fd), -1);
    cr_expect_eq(errno, EOPNOTSUPP, "%m");
    close(fd);
}

/* -------------------------------------------------------------------- what a listener says of
 * itself */

static void check_listener(struct net_address a, const char *name)
{
    struct net_address learned = {.proxy = true};
    int fd = bind_and_listen(&a);
    cr_assert_eq(net_of_listener(fd, &learned), 0, "%s: %m", name);
    cr_expect(net_is_same(&a, &learned), "%s", name);
    cr_expect_eq(learned.length, a.length, "%s", name);
    cr_expect_eq(learned.backlog, a.any.sa_family == AF_UNIX ? 0 : 64, "%s", name);
    cr_expect_eq(learned.dual, a.dual, "%s", name);
    cr_expect_eq(learned.defer, a.defer, "%s", name);
    cr_expect_not(learned.proxy, "%s", name);
    close(fd);
}

Test(net, a_listeners_address)
{
    char dir[64], path[80];
    struct net_address deferred = v4("127.0.0.1", 0);
    deferred.defer = true;
    check_listener(v4("0.0.0.0", 0), "0.0.0.0");
    check_listener(deferred, "defer");
    check_listener(v6("::", 0, true), "[::], both");
    if (has_v6()) {
        check_listener(v6("::", 0, false), "[::]");
        check_listener(v6("::1", 0, false), "[::1]");
    }
    check_listener(local("@drover-test-listener"), "abstract");
    make_directory(dir);
    snprintf(path, sizeof path, "%s/sock", dir);
    check_listener(local(path), "path");
    remove_tree(dir);
}

static void expect_no_listener(int fd, int cause, const char *name)
{
    struct net_address a = {.backlog = 77};
    errno = 0;
    cr_expect_eq(net_of_listener(fd, &a), -1, "%s", name);
    cr_expect_eq(errno, cause, "%s: %m", name);
    cr_expect_eq(a.backlog, 77, "%s", name);
    if (fd >= 0)
        close(fd);
}

Test(net, what_is_no_listener)
{
    struct net_address a = v4("127.0.0.1", 0);
    expect_no_listener(-1, EBADF, "no descriptor");
    expect_no_listener(make_file(1), ENOTSOCK, "a file");
    expect_no_listener(net_bind(&a), EINVAL, "bound");
    expect_no_listener(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), EPROTOTYPE, "UDP");
    a = local("@drover-test-bound");
    expect_no_listener(net_bind(&a), EINVAL, "bound, unix");
    int packets = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    a = local("@drover-test-packets");
    cr_assert_eq(bind(packets, &a.any, a.length), 0, "%m");
    cr_assert_eq(listen(packets, 1), 0, "%m");
    expect_no_listener(packets, EPROTOTYPE, "SOCK_SEQPACKET");
}

static void expect_same(struct net_address a, struct net_address b, bool same, const char *name)
{
    cr_expect_eq(net_is_same(&a, &b), same, "%s", name);
    cr_expect_eq(net_is_same(&b, &a), same, "%s", name);
}

Test(net, the_same_place)
{
    struct net_address uncounted = local("/run/x");
    uncounted.length--;
    expect_same(v4("127.0.0.1", 80), v4("127.0.0.1", 80), true, "IPv4");
    expect_same(v4("127.0.0.1", 80), v4("127.0.0.1", 81), false, "port");
    expect_same(v4("127.0.0.1", 80), v4("127.0.0.2", 80), false, "host");
    expect_same(v4("0.0.0.0", 80), v6("::", 80, true), false, "family");
    expect_same(v6("::1", 80, false), v6("::1", 80, false), true, "IPv6");
    expect_same(v6("::1", 80, false), v6("::1", 81, false), false, "IPv6 port");
    expect_same(v6("::1", 80, false), v6("::2", 80, false), false, "IPv6 host");
    expect_same(v6("::", 80, false), v6("::", 80, true), false, "dual");
    expect_same(local("/run/x"), uncounted, true, "a path, its NUL counted or not");
    expect_same(local("/run/x"), local("/run/xy"), false, "a longer path");
    expect_same(local("/run/x"), local("@run/x"), false, "abstract or not");
    expect_same(local("@x"), local("@x"), true, "abstract");
    expect_same(local("@x"), local("@xy"), false, "abstract, longer");
}

/* --------------------------------------------------------------------------------------- text */

static void expect_text(struct net_address a, const char *expected)
{
    char text[NET_TEXT_SIZE];
    net_text(&a, text);
    cr_expect_str_eq(text, expected, "%s instead of %s", text, expected);
}

Test(net, text)
{
    char path[108], name[108], expected[128];
    expect_text(v4("127.0.0.1", 8080), "127.0.0.1:8080");
    expect_text(v4("255.255.255.255", 65535), "255.255.255.255:65535");
    expect_text(v6("::1", 80, false), "[::1]:80");
    expect_text(v6("::", 0, true), "[::]:0");
    expect_text(v6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535, false),
                "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
    expect_text(v6("::ffff:1.2.3.4", 1, false), "[::ffff:1.2.3.4]:1");
    expect_text(local("/run/drover.sock"), "unix:/run/drover.sock");
    expect_text(local("@drover"), "unix:@drover");
    memset(path, 'p', sizeof path);
    path[0] = '/';
    path[107] = '\0';
    snprintf(expected, sizeof expected, "unix:%s", path);
    expect_text(local(path), expected);
    memcpy(name, path, sizeof name);
    name[0] = '@';
    snprintf(expected, sizeof expected, "unix:%s", name);
    expect_text(local(name), expected);
}

/* ------------------------------------------------------------------------------------- holder */

static void expect_holder(const struct net_address *a, const char *name)
{
    char name_seen[64] = "", command[32] = "";
    FILE *f = fopen("/proc/self/comm", "re");
    cr_assert_not_null(f);
    cr_assert_not_null(fgets(command, sizeof command, f));
    fclose(f);
    command[strcspn(command, "\n")] = '\0';
    cr_expect_eq(net_holder(a, name_seen, sizeof name_seen), getpid(), "%s", name);
    cr_expect_str_eq(name_seen, command, "%s: %s", name, name_seen);
}

static void expect_nobody(const struct net_address *a, const char *name)
{
    char text[64] = "";
    cr_expect_eq(net_holder(a, text, sizeof text), 0, "%s: %s", name, text);
}

Test(net, who_listens)
{
    char dir[64], path[80], name[64];
    make_directory(dir);
    snprintf(path, sizeof path, "%s/sock", dir);
    snprintf(name, sizeof name, "@drover-holder-%d", (int)getpid());
    struct net_address all[] = {v4("127.0.0.1", 0), local(path), local(name), v6("::1", 0, false)};
    size_t count = LENGTH(all) - !has_v6();
    for (size_t i = 0; i < count; i++) {
        int before = count_fds();
        int fd = bind_and_listen(&all[i]);
        expect_holder(&all[i], "listening");
        close(fd);
        expect_nobody(&all[i], "closed");
        cr_expect_eq(count_fds(), before);
    }
    remove_tree(dir);
}

/* Another address of the same port is in nobody's way, all addresses are in everybody's. */
Test(net, who_listens_at_another_address)
{
    struct net_address there = v4("127.0.0.2", 0);
    int fd = bind_and_listen(&there);
    unsigned short port = (unsigned short)port_of(&there);
    struct net_address here = v4("127.0.0.1", port), all = v4("0.0.0.0", port);
    expect_nobody(&here, "127.0.0.1");
    expect_holder(&all, "0.0.0.0");
    expect_holder(&there, "127.0.0.2");
    close(fd);
    all = v4("0.0.0.0", 0); /* that port may be another test's on another address */
    fd = bind_and_listen(&all);
    here = v4("127.0.0.1", (unsigned short)port_of(&all));
    expect_holder(&here, "all addresses are taken");
    close(fd);
}
