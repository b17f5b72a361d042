/* Socket calls and options: what they receive, and from whom. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"

/* ------------------------------------------------------------------------- out of band */

static bool is_exceptional(int fd, int timeout_ms)
{
    fd_set set;
    struct timeval time = {.tv_usec = timeout_ms * 1000};
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return need(select(fd + 1, NULL, NULL, &set, &time), "select") > 0;
}

void try_out_of_band(struct finding *f, bool is_quick)
{
    (void)is_quick;
    char bytes[8];
    int epoll = fixture_epoll();
    struct fixture_pair pair = fixture_pair();
    struct pollfd item = {.fd = pair.server, .events = POLLPRI};
    fixture_watch(epoll, pair.server, EPOLLPRI);
    fixture_send(pair.client, 2);
    bool before = is_exceptional(pair.server, 50);
    need((int)send(pair.client, "!", 1, MSG_OOB), "send");
    bool after = is_exceptional(pair.server, 900);
    int by_poll = need(poll(&item, 1, 1000), "poll"), by_epoll = fixture_events(epoll, 1000);
    int in_band = need((int)recv(pair.server, bytes, sizeof bytes, MSG_DONTWAIT), "recv");
    int out = need((int)recv(pair.server, bytes, 1, MSG_OOB), "recv MSG_OOB");
    bool holds = !before && after && by_poll == 1 && by_epoll == 1 && *bytes == '!' && out == 1;
    finding_set(f, holds ? CLAIM_HOLDS : CLAIM_FAILS,
                "after 2 plain bytes select's exceptfds had %d descriptors, after a MSG_OOB byte "
                "%d, and POLLPRI and EPOLLPRI told %d and %d; recv gave the %d plain bytes, and "
                "with MSG_OOB %d, '%c'",
                before, after, by_poll, by_epoll, in_band, out, *bytes);
}

/* ----------------------------------------------------------------------- low-water marks */

struct marked {
    int below, at; /* 3 if poll, select and epoll all say so */
};

static int readable_by(int fd, int epoll, int timeout_ms)
{
    fd_set set;
    struct timeval none = {0};
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return fixture_readable(fd, timeout_ms) +
           need(select(fd + 1, &set, NULL, NULL, &none), "select") + fixture_events(epoll, 0);
}

static struct marked readable_at_mark(struct fixture_pair pair)
{
    struct marked marked;
    int mark = 100, epoll = fixture_epoll();
    need(setsockopt(pair.server, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark), "SO_RCVLOWAT");
    fixture_watch(epoll, pair.server, EPOLLIN);
    fixture_send(pair.client, 99);
    marked.below = readable_by(pair.server, epoll, 50);
    fixture_send(pair.client, 1);
    marked.at = readable_by(pair.server, epoll, 1000);
    close(epoll);
    return marked;
}

void try_rcvlowat(struct finding *f, bool is_quick)
{
    (void)is_quick;
    struct marked tcp = readable_at_mark(fixture_pair()), local = readable_at_mark(fixture_unix());
    bool in_tcp = tcp.below == 0 && tcp.at == 3, in_unix = local.below == 0 && local.at == 3;
    enum verdict verdict = in_tcp && in_unix ? CLAIM_HOLDS : in_tcp ? CLAIM_DEPENDS : CLAIM_FAILS;
    finding_set(f, verdict,
                "%sSO_RCVLOWAT 100: a TCP socket with 99 bytes was readable by %d of poll, select "
                "and epoll, with 100 by %d; an AF_UNIX stream by %d and %d",
                depends_on(verdict, "the protocol"), tcp.below, tcp.at, local.below, local.at);
}

void try_sndlowat(struct finding *f, bool is_quick)
{
    (void)is_quick;
    int mark = 0, wanted = 4096;
    socklen_t length = sizeof mark;
    struct fixture_pair pair = fixture_pair();
    need(getsockopt(pair.server, SOL_SOCKET, SO_SNDLOWAT, &mark, &length), "SO_SNDLOWAT");
    int set = setsockopt(pair.server, SOL_SOCKET, SO_SNDLOWAT, &wanted, sizeof wanted);
    int error = set < 0 ? errno : 0;
    int other = setsockopt(pair.server, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &wanted, sizeof wanted);
    finding_set(f, set == 0 && mark == 2048 ? CLAIM_HOLDS : CLAIM_FAILS,
                "SO_SNDLOWAT of a TCP socket is %d here, and setting it: %s; setting "
                "TCP_NOTSENT_LOWAT: %s",
                mark, error_name(error), error_name(other < 0 ? errno : 0));
}

/* --------------------------------------------------------------------------- recv, read */

/* Bytes left of a datagram of 3 after a call with no room: is it still there? */
static bool survives(bool by_recv)
{
    char bytes[8];
    struct sockaddr_in address;
    int fd = fixture_udp(&address),
        from = need(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
    need((int)sendto(from, "abc", 3, 0, (struct sockaddr *)&address, sizeof address), "sendto");
    if (!fixture_readable(fd, 1000))
        give_up("could not be tried: a datagram over loopback did not come");
    need((int)(by_recv ? recv(fd, bytes, 0, 0) : read(fd, bytes, 0)), "recv");
    bool is_there = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) == 3;
    close(fd);
    close(from);
    return is_there;
}

void try_recv_read(struct finding *f, bool is_quick)
{
    (void)is_quick;
    char bytes[8];
    int ends[2];
    struct fixture_pair pair = fixture_pair();
    need(pipe2(ends, O_CLOEXEC), "pipe2");
    fixture_send(pair.client, 6);
    int peeked = need((int)recv(pair.server, bytes, 2, MSG_PEEK), "recv");
    int by_recv = need((int)recv(pair.server, bytes, 3, 0), "recv");
    int by_read = need((int)read(pair.server, bytes, sizeof bytes), "read");
    int error = recv(ends[0], bytes, 1, MSG_DONTWAIT) < 0 ? errno : 0;
    bool same_on_stream = by_recv == 3 && by_read == 3, after_recv = survives(true);
    bool after_read = survives(false);
    enum verdict verdict = !same_on_stream            ? CLAIM_FAILS
                           : after_recv == after_read ? CLAIM_HOLDS
                                                      : CLAIM_DEPENDS;
    finding_set(f, verdict,
                "%sof 6 bytes recv with MSG_PEEK showed %d and took none, recv without a flag took "
                "%d, read %d; a datagram %s recv(fd, p, 0, 0) and %s read(fd, p, 0); recv of a "
                "pipe: %s",
                depends_on(verdict, "the length"), peeked, by_recv, by_read,
                after_recv ? "is still there after" : "is gone after",
                after_read ? "still there after" : "gone after", error_name(error));
}

/* -------------------------------------------------------------------------- no accept */

void try_udp_accept(struct finding *f, bool is_quick)
{
    (void)is_quick;
    struct sockaddr_in address, peers[2] = {0};
    char byte;
    int fd = fixture_udp(&address), n = 0;
    for (int i = 0; i < 2; i++) {
        struct sockaddr_in from;
        socklen_t length = sizeof peers[i];
        int client = fixture_udp(&from);
        need((int)sendto(client, "x", 1, 0, (struct sockaddr *)&address, sizeof address), "sendto");
        if (fixture_readable(fd, 1000))
            n += recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&peers[i], &length) == 1 &&
                 peers[i].sin_port == from.sin_port;
    }
    int listen_error = listen(fd, 1) < 0 ? errno : 0;
    int accept_error = accept4(fd, NULL, NULL, SOCK_CLOEXEC) < 0 ? errno : 0;
    int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
    int raw_got = raw < 0 ? -1 : fixture_received(raw, &address, 1, 1000);
    finding_set(f, n == 2 && accept_error == EOPNOTSUPP ? CLAIM_HOLDS : CLAIM_FAILS,
                "one UDP socket got the datagrams of %d of 2 clients and knew whose each was; "
                "listen said %s, accept %s; a raw socket %s",
                n, error_name(listen_error), error_name(accept_error),
                raw_got < 0   ? "is not permitted to this user"
                : raw_got > 0 ? "got one without either"
                              : "got none");
}

/* ------------------------------------------------------------------------------ messages */

/* How many recv calls three messages of 10 bytes take. */
static int receives(int type)
{
    int ends[2], calls = 0;
    char bytes[64];
    need(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), "socketpair");
    for (int i = 0; i < 3; i++)
        fixture_send(ends[0], 10);
    for (; recv(ends[1], bytes, sizeof bytes, 0) > 0; calls++)
        ;
    return calls;
}

void try_sticky(struct finding *f, bool is_quick)
{
    (void)is_quick;
    char bytes[64];
    int all = 30;
    struct fixture_pair pair = fixture_pair();
    for (int i = 0; i < 3; i++)
        fixture_send(pair.client, 10);
    /* Until all are there. */
    need(setsockopt(pair.server, SOL_SOCKET, SO_RCVLOWAT, &all, sizeof all), "SO_RCVLOWAT");
    fixture_readable(pair.server, 1000);
    int got = need((int)recv(pair.server, bytes, sizeof bytes, 0), "recv");
    int stream = receives(SOCK_STREAM), packets = receives(SOCK_SEQPACKET);
    enum verdict verdict = got != all ? CLAIM_FAILS : packets == 3 ? CLAIM_DEPENDS : CLAIM_HOLDS;
    finding_set(
        f, verdict,
        "%sthree messages of 10 bytes: one recv of a TCP socket gave %d bytes; over AF_UNIX "
        "they took %d recv with SOCK_STREAM and %d with SOCK_SEQPACKET",
        depends_on(verdict, "the type of socket"), got, stream, packets);
}

void try_types(struct finding *f, bool is_quick)
{
    (void)is_quick;
    int stream_udp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_UDP);
    int first = stream_udp < 0 ? errno : 0;
    int dgram_tcp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_TCP);
    int second = dgram_tcp < 0 ? errno : 0;
    finding_set(f, first && second ? CLAIM_HOLDS : CLAIM_FAILS,
                "socket(AF_INET, SOCK_STREAM, IPPROTO_UDP): %s; SOCK_DGRAM with IPPROTO_TCP: %s",
                error_name(first), error_name(second));
}

/* A name that begins with NUL is in no file system, and goes with the socket (unix(7)). */
void try_unix_name(struct finding *f, bool is_quick)
{
    (void)is_quick;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;
    int n = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "drover-lab.%d",
                     (int)getpid());
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    int door = need(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    need(bind(door, (struct sockaddr *)&address, length), "bind");
    need(listen(door, 1), "listen");
    int fd = need(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    need(connect(fd, (struct sockaddr *)&address, length), "connect");
    int found = stat(address.sun_path + 1, &status);
    finding_set(f, found < 0 ? CLAIM_FAILS : CLAIM_HOLDS,
                "a client connected to the abstract name \"@%s\", of which the file system has %s; "
                "a path is one of the two kinds of name",
                address.sun_path + 1, found < 0 ? "nothing" : "a file");
}

void try_blocking_default(struct finding *f, bool is_quick)
{
    (void)is_quick;
    int made = need(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    struct sockaddr_in address;
    int door = fixture_listen(1, &address), client = fixture_connect(&address);
    fixture_nonblocking(door);
    int taken = need(accept4(door, NULL, NULL, SOCK_CLOEXEC), "accept4");
    bool made_blocks = !(need(fcntl(made, F_GETFL), "fcntl") & O_NONBLOCK);
    bool taken_blocks = !(need(fcntl(taken, F_GETFL), "fcntl") & O_NONBLOCK);
    close(client);
    finding_set(f, made_blocks && taken_blocks ? CLAIM_HOLDS : CLAIM_FAILS,
                "O_NONBLOCK is %s in what socket(2) makes, and %s in what accept takes from a "
                "non-blocking listener",
                made_blocks ? "not set" : "set", taken_blocks ? "not set" : "set");
}

void try_open_socket(struct finding *f, bool is_quick)
{
    (void)is_quick;
    char path[64];
    struct fixture_pair pair = fixture_pair();
    snprintf(path, sizeof path, "/proc/self/fd/%d", pair.server);
    int opened = open(path, O_RDWR | O_CLOEXEC), error = opened < 0 ? errno : 0;
    fixture_send(pair.client, 4);
    char bytes[8];
    int n = need((int)read(pair.server, bytes, sizeof bytes), "read");
    finding_set(f, opened < 0 && n == 4 ? CLAIM_HOLDS : CLAIM_FAILS,
                "open of a socket in /proc/self/fd: %s; read(2) of its descriptor gave %d of 4 "
                "bytes",
                error_name(error), n);
}
