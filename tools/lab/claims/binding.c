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
#include "lab/kernel/wire.h"

/* An address of TEST-NET-2 (RFC 5737), which the server has on its loopback interface. */
#define INNER_ADDRESS 0xc6336401U /* 198.51.100.1 */

/* The first answer to ARP over a new pair may be lost, and is asked for again after a second. */
#define PATIENCE_MS 2500

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

/* How many of 10 datagrams that come in by the veth interface a socket gets. */
struct crossed {
    int outer; /* bound to the address of that interface: the check that they come at all */
    int inner; /* bound to an address of the loopback interface */
};

static struct crossed cross(const struct wire_link *link)
{
    struct net_address gateway;
    struct sockaddr_in outer, inner = address_of(INNER_ADDRESS);
    wire_address(link, &gateway);
    memcpy(&outer, &gateway.storage, sizeof outer);
    need(wire_enter(link), "setns");
    add_inner_address();
    int at_outer = datagram_socket(), at_inner = datagram_socket();
    bind_to(at_outer, &outer);
    bind_to(at_inner, &inner);
    need(setns(link->client, CLONE_NEWNET), "setns");
    add_route(&outer);
    struct crossed crossed = {.outer = fixture_received(at_outer, &outer, 10, PATIENCE_MS),
                              .inner = fixture_received(at_inner, &inner, 10, PATIENCE_MS)};
    need(wire_leave(link), "setns");
    close(at_outer);
    close(at_inner);
    return crossed;
}

/* Tries it with two interfaces, in network namespaces of its own. False: that was not possible. */
static bool is_crossed(char *words, size_t size, bool *is_let_in)
{
    struct wire_link link;
    const char *why = "";
    int made = wire_open(&link, WIRE_VETH, &why);
    if (made < 0) {
        snprintf(words, size, "with two interfaces it could not be tried: %s", why);
        wire_close(&link);
        return false;
    }
    struct crossed crossed = cross(&link);
    wire_close(&link);
    snprintf(words, size,
             "bound to an address of the loopback interface it got %d of 10 that came in by a veth "
             "one, where a socket bound to that one's address got %d",
             crossed.inner, crossed.outer);
    *is_let_in = crossed.inner > 0;
    return crossed.outer > 0;
}

void try_bind_interface(struct finding *f, bool is_quick)
{
    (void)is_quick;
    char words[200];
    bool is_let_in = false;
    struct sockaddr_in second = fixture_address(2, 0);
    int fd = datagram_socket();
    bind_to(fd, &second);
    struct sockaddr_in first = fixture_address(1, ntohs(second.sin_port));
    int to_second = fixture_received(fd, &second, 10, 1000);
    int to_first = fixture_received(fd, &first, 10, 50);
    if (to_second == 0)
        give_up("could not be tried: no datagram comes over the loopback interface");
    bool is_tried = is_crossed(words, sizeof words, &is_let_in);
    /* Of one interface it has only what is for its address; or it has what another one brought. */
    bool fails = is_tried ? is_let_in : to_first == 0;
    finding_set(f, fails ? CLAIM_FAILS : CLAIM_HOLDS,
                "bound to 127.0.0.2, a socket got %d of 10 datagrams to that and %d of 10 to "
                "127.0.0.1, by the same interface; %s",
                to_second, to_first, words);
}
