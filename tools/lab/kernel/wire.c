#include "lab/kernel/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

/* Of TEST-NET-1 (RFC 5737): nobody is there, and nothing leaves the pair. */
#define SERVER_ADDRESS 0xc0000201U /* 192.0.2.1 */
#define CLIENT_ADDRESS 0xc0000202U
#define NETMASK        0xffffff00U

/* In each namespace its end of the pair has the same name. */
#define DEVICE "lab0"

/*
 * But not the same index, as they had if the kernel chose: a device whose index is not its link's
 * is one that linkwatch never puts off (net/core/link_watch.c). A new namespace may have devices
 * already (net.core.fb_tunnels_only_for_init_net): these are far past theirs.
 */
#define SERVER_INDEX 1001
#define CLIENT_INDEX 1002

/* linkwatch puts a device off for a second at most; the rest is for a machine that is busy. */
#define UP_TIMEOUT_MS 5000

/* ---- rtnetlink(7): the message that makes the pair ----------------------------------------- */

struct message {
    struct nlmsghdr head;
    struct ifinfomsg info;
    char attributes[256];
};

static struct rtattr *add(struct message *m, unsigned short type, const void *data, size_t length)
{
    struct rtattr *attribute = (struct rtattr *)(void *)((char *)m +
                                                         NLMSG_ALIGN(m->head.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(length);
    if (length > 0)
        memcpy(RTA_DATA(attribute), data, length);
    m->head.nlmsg_len = NLMSG_ALIGN(m->head.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
    return attribute;
}

/* What was added since it began is inside it. */
static void end(struct message *m, struct rtattr *attribute)
{
    char *to = (char *)m + NLMSG_ALIGN(m->head.nlmsg_len);
    attribute->rta_len = (unsigned short)(to - (char *)attribute);
}

static void write_pair(struct message *m, int peer_namespace)
{
    struct ifinfomsg peer_info = {.ifi_family = AF_UNSPEC, .ifi_index = CLIENT_INDEX};
    *m = (struct message){
        .head = {.nlmsg_len = NLMSG_LENGTH(sizeof m->info),
                 .nlmsg_type = RTM_NEWLINK,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL},
        .info = {.ifi_family = AF_UNSPEC, .ifi_index = SERVER_INDEX}};
    add(m, IFLA_IFNAME, DEVICE, sizeof DEVICE);
    struct rtattr *link = add(m, IFLA_LINKINFO, NULL, 0);
    add(m, IFLA_INFO_KIND, "veth", strlen("veth"));
    struct rtattr *data = add(m, IFLA_INFO_DATA, NULL, 0);
    struct rtattr *peer = add(m, VETH_INFO_PEER, &peer_info, sizeof peer_info);
    add(m, IFLA_IFNAME, DEVICE, sizeof DEVICE);
    add(m, IFLA_NET_NS_FD, &peer_namespace, sizeof peer_namespace);
    end(m, peer);
    end(m, data);
    end(m, link);
}

/* The kernel's answer: an error number, which is 0 when all is well. */
static int receive_verdict(int fd)
{
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
        char rest[512];
    } answer;
    ssize_t n = recv(fd, &answer, sizeof answer, 0);
    if (n < 0)
        return -1;
    if ((size_t)n < sizeof answer.head + sizeof answer.error.error ||
        answer.head.nlmsg_type != NLMSG_ERROR) {
        errno = EPROTO;
        return -1;
    }
    errno = -answer.error.error;
    return answer.error.error == 0 ? 0 : -1;
}

/* One end in the present namespace, the other in the peer's. */
static int make_pair(int peer_namespace)
{
    struct message m;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -1;
    write_pair(&m, peer_namespace);
    int result = send(fd, &m, m.head.nlmsg_len, 0) < 0 ? -1 : receive_verdict(fd);
    int saved = errno;
    close(fd);
    errno = saved;
    return result;
}

/* ---- netdevice(7): addresses, and up ------------------------------------------------------- */

static void set_address(struct ifreq *request, uint32_t address)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    memcpy(&request->ifr_addr, &in, sizeof in);
}

static int configure(int fd, uint32_t address)
{
    struct ifreq request = {.ifr_name = DEVICE};
    set_address(&request, address);
    if (ioctl(fd, SIOCSIFADDR, &request) < 0)
        return -1;
    set_address(&request, NETMASK);
    if (ioctl(fd, SIOCSIFNETMASK, &request) < 0)
        return -1;
    request.ifr_flags = IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, &request);
}

static int set_up_here(uint32_t address)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int result = configure(fd, address);
    int saved = errno;
    close(fd);
    errno = saved;
    return result;
}

/* ---- rtnetlink(7) again: until packets pass ------------------------------------------------ */

/*
 * The end that is set up first has no carrier then. When its peer follows it gets one, but its
 * queueing discipline drops all until linkwatch, a work of the kernel's, has switched it on. What
 * shows that is the operational state, which the same work sets; IFF_RUNNING does not, as it is
 * set where the state is unknown, too.
 */
static bool says_up(struct nlmsghdr *head, int index)
{
    struct ifinfomsg *info = NLMSG_DATA(head);
    if (head->nlmsg_type != RTM_NEWLINK || head->nlmsg_len < NLMSG_LENGTH(sizeof *info) ||
        info->ifi_index != index)
        return false;
    /* Aligned, it is never less than what RTA_NEXT() takes from it. */
    size_t left = NLMSG_ALIGN(head->nlmsg_len) - NLMSG_LENGTH(sizeof *info);
    for (struct rtattr *a = IFLA_RTA(info); RTA_OK(a, left); a = RTA_NEXT(a, left))
        if (a->rta_type == IFLA_OPERSTATE && RTA_PAYLOAD(a) >= 1)
            return *(const unsigned char *)RTA_DATA(a) == IF_OPER_UP;
    return false;
}

/* There is one message a datagram, as none is asked for that has parts. */
static int receive_state(int fd, int index, bool *is_up)
{
    union {
        struct nlmsghdr head;
        struct {
            struct nlmsghdr head;
            struct nlmsgerr error;
        } refusal;
        char bytes[8192]; /* what is said of a veth device takes less than 2 KiB */
    } answer;
    ssize_t n = recv(fd, &answer, sizeof answer, 0);
    if (n < 0)
        return -1;
    if ((size_t)n < sizeof answer.head || answer.head.nlmsg_len > (size_t)n) {
        errno = EPROTO;
        return -1;
    }
    if (answer.head.nlmsg_type == NLMSG_ERROR) {
        errno = -answer.refusal.error.error;
        return -1;
    }
    *is_up = says_up(&answer.head, index);
    return 0;
}

static int wait_for_message(int fd, int64_t deadline)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    for (;;) {
        int n = poll(&readable, 1, clock_until(deadline, clock_ms()));
        if (n > 0)
            return 0;
        if (n == 0)
            errno = ETIMEDOUT;
        if (n == 0 || errno != EINTR)
            return -1;
    }
}

/*
 * Asked once, and told of each change from before that on. From Linux 6.8 on the question itself
 * makes up for what linkwatch has still to do with the device.
 */
static int ask_until_up(int fd, int index, int64_t deadline)
{
    struct sockaddr_nl changes = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    struct message m = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof m.info),
                                 .nlmsg_type = RTM_GETLINK,
                                 .nlmsg_flags = NLM_F_REQUEST},
                        .info = {.ifi_family = AF_UNSPEC, .ifi_index = index}};
    bool is_up = false;
    if (bind(fd, (struct sockaddr *)&changes, sizeof changes) < 0 ||
        send(fd, &m, m.head.nlmsg_len, 0) < 0)
        return -1;
    while (!is_up)
        if (wait_for_message(fd, deadline) < 0 || receive_state(fd, index, &is_up) < 0)
            return -1;
    return 0;
}

static int wait_until_up_here(int index, int64_t deadline)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -1;
    int result = ask_until_up(fd, index, deadline);
    int saved = errno;
    close(fd);
    errno = saved;
    return result;
}

/* ---- the namespaces ------------------------------------------------------------------------ */

static int open_present(void)
{
    return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* A new one, in which this thread is then. */
static int open_new(void)
{
    return unshare(CLONE_NEWNET) < 0 ? -1 : open_present();
}

/* The client's is the present namespace before, and the server's after. */
static int wait_until_up(const struct wire_link *link)
{
    int64_t deadline = clock_ms() + UP_TIMEOUT_MS;
    if (wait_until_up_here(CLIENT_INDEX, deadline) < 0 || setns(link->server, CLONE_NEWNET) < 0)
        return -1;
    return wait_until_up_here(SERVER_INDEX, deadline);
}

static int make(struct wire_link *link)
{
    link->client = open_new();
    if (link->client < 0)
        return -1;
    link->server = open_new();
    if (link->server < 0 || make_pair(link->client) < 0 || set_up_here(SERVER_ADDRESS) < 0)
        return -1;
    if (setns(link->client, CLONE_NEWNET) < 0 || set_up_here(CLIENT_ADDRESS) < 0)
        return -1;
    return wait_until_up(link);
}

static const char *why_not(int error)
{
    switch (error) {
    case EPERM:
    case EACCES: return "a veth pair needs CAP_SYS_ADMIN and CAP_NET_ADMIN, as root has them";
    case EOPNOTSUPP: return "this kernel has no veth (CONFIG_VETH)";
    case EINVAL: return "this kernel has no network namespaces (CONFIG_NET_NS)";
    case ENOSPC: return "no more network namespaces are allowed (user.max_net_namespaces)";
    case ETIMEDOUT: return "the veth pair was made, but its ends do not come up";
    default: return "the veth pair could not be made";
    }
}

int wire_open(struct wire_link *link, enum wire wire, const char **why)
{
    *link = (struct wire_link){.home = -1, .server = -1, .client = -1};
    if (wire == WIRE_LOOPBACK)
        return 0;
    link->home = open_present();
    int result = link->home < 0 ? -1 : make(link);
    int saved = errno;
    /* It was possible to go away, so it is to come back. */
    if (link->home >= 0 && setns(link->home, CLONE_NEWNET) < 0 && result == 0) {
        saved = errno;
        result = -1;
    }
    if (result < 0)
        *why = why_not(saved);
    errno = saved;
    return result;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void wire_close(struct wire_link *link)
{
    close_one(&link->client);
    close_one(&link->server);
    close_one(&link->home);
}

void wire_address(const struct wire_link *link, struct net_address *address)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(link->server >= 0 ? SERVER_ADDRESS : INADDR_LOOPBACK)};
    *address = (struct net_address){.length = sizeof in, .any_port = true};
    memcpy(&address->storage, &in, sizeof in);
}

int wire_enter(const struct wire_link *link)
{
    return link->server < 0 ? 0 : setns(link->server, CLONE_NEWNET);
}

int wire_leave(const struct wire_link *link)
{
    return link->home < 0 ? 0 : setns(link->home, CLONE_NEWNET);
}
