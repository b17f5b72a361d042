/* What bind(2) to one address lets in. */
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"
#include "lab/wire.h"

/* An address of TEST-NET-2 (RFC 5737), which the server has on its loopback interface. */
#define INNER_ADDRESS 0xc6336401U /* 198.51.100.1 */

static struct sockaddr_in address_of(uint32_t host)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
}

static int datagram_socket(void)
{
    return need(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
}

static void bind_to(int fd, struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    need(bind(fd, (struct sockaddr *)address, length), "bind");
    need(getsockname(fd, (struct sockaddr *)address, &length), "getsockname");
}

/* In the server's namespace. */
static void add_inner_address(void)
{
    struct sockaddr_in inner = address_of(INNER_ADDRESS);
    struct ifreq request = {.ifr_name = "lo:1"};
    int fd = datagram_socket();
    memcpy(&request.ifr_addr, &inner, sizeof inner);
    need(ioctl(fd, SIOCSIFADDR, &request), "SIOCSIFADDR");
    close(fd);
}

/* In the client's: the way to there is the veth pair. */
static void add_route(const struct sockaddr_in *gateway)
{
    struct sockaddr_in inner = address_of(INNER_ADDRESS), mask = address_of(0xffffffffU);
    struct rtentry route = {.rt_flags = RTF_UP | RTF_HOST | RTF_GATEWAY};
    int fd = datagram_socket();
    memcpy(&route.rt_dst, &inner, sizeof inner);
    memcpy(&route.rt_genmask, &mask, sizeof mask);
    memcpy(&route.rt_gateway, gateway, sizeof *gateway);
    need(ioctl(fd, SIOCADDRT, &route), "SIOCADDRT");
    close(fd);
}

/* How many of 10 datagrams that come in by another interface the socket gets; -1, and why in words,
 * where no other interface can be made. */
static int by_other_interface(const char **why)
{
    struct wire_link link;
    struct net_address gateway;
    if (wire_open(&link, WIRE_VETH, why) < 0) {
        wire_close(&link);
        return -1;
    }
    wire_address(&link, &gateway);
    need(wire_enter(&link), "setns");
    add_inner_address();
    struct sockaddr_in inner = address_of(INNER_ADDRESS), way;
    int fd = datagram_socket();
    bind_to(fd, &inner);
    need(setns(link.client, CLONE_NEWNET), "setns");
    memcpy(&way, &gateway.storage, sizeof way);
    add_route(&way);
    int got = fixture_received(fd, &inner, 10);
    need(setns(link.home, CLONE_NEWNET), "setns");
    close(fd);
    wire_close(&link);
    return got;
}

void try_bind_interface(struct finding *f, bool is_quick)
{
    (void)is_quick;
    char words[160];
    const char *why = "";
    struct sockaddr_in second = fixture_address(2, 0);
    int fd = datagram_socket();
    bind_to(fd, &second);
    struct sockaddr_in first = fixture_address(1, ntohs(second.sin_port));
    int to_second = fixture_received(fd, &second, 10), to_first = fixture_received(fd, &first, 10);
    int crossed = by_other_interface(&why);
    if (crossed < 0)
        snprintf(words, sizeof words, "with two interfaces it could not be tried: %s", why);
    else
        snprintf(words, sizeof words,
                 "bound to an address of the loopback interface it got %d of 10 that came in by a "
                 "veth one",
                 crossed);
    bool by_address = to_second == 10 && to_first == 0;
    finding_set(f, by_address && crossed != 0 ? CLAIM_FAILS : CLAIM_HOLDS,
                "bound to 127.0.0.2, a socket got %d of 10 datagrams to that and %d of 10 to "
                "127.0.0.1, by the same interface; %s",
                to_second, to_first, words);
}
