#include "os/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/sockfile.h"

bool net_is_shared(const struct net_address *address)
{
    return address->any.sa_family == AF_UNIX;
}

bool net_is_lent(const struct net_address *address)
{
    return address->name[0] != '\0';
}

bool net_is_name(const struct net_address *address)
{
    return address->length == 0 && net_is_lent(address);
}

static bool is_inet(const struct net_address *address)
{
    return address->any.sa_family == AF_INET || address->any.sa_family == AF_INET6;
}

static int set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

/* close(2) may change errno, and the cause is what was before it. */
static int close_failed(int fd)
{
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int open_socket(const struct net_address *address)
{
    int family = address->any.sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (is_inet(address) && set(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
        return close_failed(fd);
    if (family == AF_INET6 && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !address->dual) < 0)
        return close_failed(fd);
    return fd;
}

/* Port 0 was a wish: from here on the address is what the kernel made of it. */
static int learn_port(int fd, struct net_address *address)
{
    address->length = sizeof address->storage;
    return getsockname(fd, &address->any, &address->length);
}

static int bind_inet(int fd, struct net_address *address)
{
    if (bind(fd, &address->any, address->length) < 0)
        return -1;
    return learn_port(fd, address);
}

void net_fall_back(struct net_address *address)
{
    struct sockaddr_in6 in6;
    memcpy(&in6, &address->storage, sizeof in6);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = in6.sin6_port};
    memcpy(&address->storage, &in, sizeof in);
    address->length = sizeof in;
    address->dual = false;
}

int net_bind(struct net_address *address)
{
    int fd = open_socket(address);
    if (fd < 0 && errno == EAFNOSUPPORT && address->dual) {
        net_fall_back(address);
        fd = open_socket(address);
    }
    if (fd < 0)
        return -1;
    int bound = is_inet(address) ? bind_inet(fd, address)
                                 : sockfile_bind(fd, &address->un, address->length);
    return bound < 0 ? close_failed(fd) : fd;
}

int net_join(const struct net_address *address)
{
    int fd = open_socket(address);
    if (fd < 0)
        return -1;
    if (set(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0 || bind(fd, &address->any, address->length) < 0)
        return close_failed(fd);
    return fd;
}

/* A client that is gone without a word, its machine too, would else be waited for without end where
 * an answer or a stream has none. */
static int keep_alive(int fd)
{
    if (set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) < 0 ||
        set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S) < 0 ||
        set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_AGAIN_S) < 0)
        return -1;
    return set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_TIMES);
}

/* Accepted sockets inherit all of it. An answer is written whole: nothing to wait for. */
static int set_for_clients(int fd, const struct net_address *address, int defer_seconds)
{
    if (set(fd, IPPROTO_TCP, TCP_NODELAY, 1) < 0 ||
        set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, SEND_BACKLOG_MAX) < 0 || keep_alive(fd) < 0)
        return -1;
    return set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, address->defer ? defer_seconds : 0);
}

int net_renew(int fd, const struct net_address *address, int defer_seconds)
{
    if (is_inet(address) && set_for_clients(fd, address, defer_seconds) < 0)
        return -1;
    return address->backlog > 0 ? listen(fd, address->backlog) : 0;
}

int net_listen(int fd, const struct net_address *address, int defer_seconds)
{
    if (net_renew(fd, address, defer_seconds) < 0)
        return -1;
    return is_inet(address) ? set(fd, SOL_SOCKET, SO_REUSEPORT, 1) : 0;
}

static int get(int fd, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, level, option, &value, &size) < 0 ? -1 : value;
}

static int refuse(int cause)
{
    errno = cause;
    return -1;
}

bool net_is_connection(int fd)
{
    return get(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM && get(fd, SOL_SOCKET, SO_ACCEPTCONN) == 0;
}

int net_of_listener(int fd, struct net_address *address)
{
    struct net_address a = {.length = sizeof a.storage};
    struct net_queue queue;
    int type = get(fd, SOL_SOCKET, SO_TYPE);
    if (type < 0)
        return -1;
    if (type != SOCK_STREAM)
        return refuse(EPROTOTYPE);
    if (get(fd, SOL_SOCKET, SO_ACCEPTCONN) <= 0)
        return refuse(EINVAL);
    if (getsockname(fd, &a.any, &a.length) < 0)
        return -1;
    if (!is_inet(&a) && a.any.sa_family != AF_UNIX)
        return refuse(EAFNOSUPPORT);
    if (net_queue(fd, &queue) < 0)
        return -1;
    a.backlog = (int)queue.limit;
    a.defer = is_inet(&a) && get(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT) > 0;
    a.dual = a.any.sa_family == AF_INET6 && get(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0;
    *address = a;
    return 0;
}

static bool is_same_v4(const struct net_address *a, const struct net_address *b)
{
    struct sockaddr_in one, other;
    memcpy(&one, &a->storage, sizeof one);
    memcpy(&other, &b->storage, sizeof other);
    return one.sin_port == other.sin_port && one.sin_addr.s_addr == other.sin_addr.s_addr;
}

static bool is_same_v6(const struct net_address *a, const struct net_address *b)
{
    struct sockaddr_in6 one, other;
    memcpy(&one, &a->storage, sizeof one);
    memcpy(&other, &b->storage, sizeof other);
    return one.sin6_port == other.sin6_port && one.sin6_scope_id == other.sin6_scope_id &&
           memcmp(&one.sin6_addr, &other.sin6_addr, sizeof one.sin6_addr) == 0 &&
           a->dual == b->dual;
}

/* A name in the file system ends at its NUL, which some count and some do not. */
static bool is_same_path(const struct net_address *a, const struct net_address *b)
{
    const char *one = a->un.sun_path, *other = b->un.sun_path;
    if (one[0] != '\0')
        return strncmp(one, other, sizeof a->un.sun_path) == 0;
    return a->length == b->length &&
           memcmp(one, other, a->length - offsetof(struct sockaddr_un, sun_path)) == 0;
}

bool net_is_same(const struct net_address *a, const struct net_address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_UNIX)
        return is_same_path(a, b);
    return a->any.sa_family == AF_INET ? is_same_v4(a, b) : is_same_v6(a, b);
}

/* What a filter of a TCP socket sees begins with the TCP header, for IPv4 and IPv6 alike. */
#define TCP_FLAGS_AT 13

int net_drop_new(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS_AT),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TH_SYN | TH_ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TH_SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog filter;
    memset(&filter, 0, sizeof filter); /* the kernel is given its padding, too */
    filter.len = sizeof code / sizeof *code;
    filter.filter = code;
    int protocol = get(fd, SOL_SOCKET, SO_PROTOCOL);
    if (protocol < 0)
        return -1;
    if (protocol != IPPROTO_TCP)
        return refuse(EOPNOTSUPP);
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

int net_admit_new(int fd)
{
    if (set(fd, SOL_SOCKET, SO_DETACH_FILTER, 0) == 0)
        return 0;
    return errno == ENOENT ? 0 : -1;
}

static uint64_t drops_of(int fd)
{
    uint32_t figures[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof figures;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures, &size) < 0)
        return 0;
    return figures[SK_MEMINFO_DROPS];
}

/* Of a unix socket's queue the kernel says only whether it is empty. */
static int queue_by_poll(int fd, struct net_queue *queue)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n = poll(&p, 1, 0);
    if (n < 0)
        return -1;
    *queue = (struct net_queue){.queued = (p.revents & POLLIN) != 0};
    return 0;
}

int net_queue(int fd, struct net_queue *queue)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
        return errno == EOPNOTSUPP ? queue_by_poll(fd, queue) : -1;
    if (info.tcpi_state != TCP_LISTEN)
        return refuse(EINVAL);
    *queue = (struct net_queue){
        .queued = info.tcpi_unacked, .limit = info.tcpi_sacked, .drops = drops_of(fd)};
    return 0;
}

bool net_is_reachable(const struct net_address *address)
{
    struct stat st;
    if (address->any.sa_family != AF_UNIX || address->un.sun_path[0] == '\0')
        return true;
    return lstat(address->un.sun_path, &st) == 0 && S_ISSOCK(st.st_mode);
}

void net_unlink(const struct net_address *address)
{
    if (address->any.sa_family == AF_UNIX && address->un.sun_path[0] != '\0')
        unlink(address->un.sun_path);
}

void net_text(const struct net_address *address, char text[NET_TEXT_SIZE])
{
    char host[INET6_ADDRSTRLEN];
    if (net_is_name(address)) {
        snprintf(text, NET_TEXT_SIZE, "fd:%s", address->name);
    } else if (address->any.sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, &address->storage, sizeof in);
        inet_ntop(AF_INET, &in.sin_addr, host, sizeof host);
        snprintf(text, NET_TEXT_SIZE, "%s:%u", host, ntohs(in.sin_port));
    } else if (address->any.sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, &address->storage, sizeof in6);
        char zone[sizeof "%4294967295"] = "";
        if (in6.sin6_scope_id)
            snprintf(zone, sizeof zone, "%%%u", in6.sin6_scope_id);
        inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof host);
        snprintf(text, NET_TEXT_SIZE, "[%s%s]:%u", host, zone, ntohs(in6.sin6_port));
    } else if (address->un.sun_path[0] == '\0') {
        int n = (int)(address->length - offsetof(struct sockaddr_un, sun_path)) - 1;
        snprintf(text, NET_TEXT_SIZE, "unix:@%.*s", n, address->un.sun_path + 1);
    } else {
        snprintf(text, NET_TEXT_SIZE, "unix:%s", address->un.sun_path);
    }
}

void net_set_port(struct net_address *address, uint16_t port)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    if (address->any.sa_family == AF_INET) {
        memcpy(&in, &address->storage, sizeof in);
        in.sin_port = htons(port);
        memcpy(&address->storage, &in, sizeof in);
    } else if (address->any.sa_family == AF_INET6) {
        memcpy(&in6, &address->storage, sizeof in6);
        in6.sin6_port = htons(port);
        memcpy(&address->storage, &in6, sizeof in6);
    }
}
