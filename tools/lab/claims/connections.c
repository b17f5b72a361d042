/* TCP connections: how they begin, how they end, and how many there can be. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"

static const char *end_words(bool has_ended)
{
    return has_ended ? "its end" : "nothing";
}

void try_close_last(struct finding *f, bool is_quick)
{
    int patience_ms = is_quick ? 30 : 100, epoll = fixture_epoll();
    struct fixture_pair pair = fixture_pair(), shut = fixture_pair();
    int second = need(dup(pair.server), "dup");
    fixture_watch(epoll, pair.server, EPOLLIN);
    close(pair.server);
    bool after_first = fixture_readable(pair.client, patience_ms);
    fixture_send(pair.client, 1);
    int still_told = fixture_events(epoll, 1000);
    char byte;
    need((int)recv(second, &byte, 1, 0), "recv");
    close(second);
    bool after_last = fixture_readable(pair.client, 1000) && recv(pair.client, &byte, 1, 0) == 0;
    need(dup(shut.server), "dup");
    need(shutdown(shut.server, SHUT_RDWR), "shutdown");
    bool after_shutdown = fixture_readable(shut.client, 1000);
    finding_set(f, !after_first && after_last ? CLAIM_HOLDS : CLAIM_FAILS,
                "after close of one of two descriptors of a socket its client saw %s within %d ms, "
                "and epoll still told %d event of the closed number; after close of the other one "
                "it saw %s. shutdown(2) does not wait for the others: the client saw %s",
                end_words(after_first), patience_ms, still_told, end_words(after_last),
                end_words(after_shutdown));
}

/* The socket is never closed by anybody: its process just ends. */
void try_close_only(struct finding *f, bool is_quick)
{
    (void)is_quick;
    struct fixture_pair pair = fixture_pair(), shut = fixture_pair();
    pid_t pid = fixture_fork();
    if (pid == 0)
        for (;;)
            pause();
    close(pair.server); /* the child's is the last one */
    bool before = fixture_readable(pair.client, 20);
    fixture_end(pid);
    bool after = fixture_readable(pair.client, 1000);
    need(shutdown(shut.server, SHUT_RDWR), "shutdown");
    bool by_shutdown = fixture_readable(shut.client, 1000);
    bool is_open = fcntl(shut.server, F_GETFD) >= 0;
    finding_set(f, after && by_shutdown ? CLAIM_FAILS : CLAIM_HOLDS,
                "while its process lived the client saw %s; when that was killed, without close, "
                "%s; after shutdown it saw %s too, where the descriptor stayed %s",
                end_words(before), end_words(after), end_words(by_shutdown),
                is_open ? "open" : "closed");
}

/* A client's socket at a port of its choice, which it may share with others of its own. */
static int client_at(struct sockaddr_in *from)
{
    int one = 1;
    socklen_t length = sizeof *from;
    int fd = need(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    need(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), "SO_REUSEADDR");
    need(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one), "SO_REUSEPORT");
    need(bind(fd, (struct sockaddr *)from, length), "bind");
    need(getsockname(fd, (struct sockaddr *)from, &length), "getsockname");
    return fd;
}

/* Connects from that address and port, and sees it in accept(2). 0, or the errno of connect. */
static int join(int door, const struct sockaddr_in *to, struct sockaddr_in *from)
{
    struct sockaddr_in seen = {0};
    socklen_t length = sizeof seen;
    int fd = client_at(from);
    if (connect(fd, (const struct sockaddr *)to, sizeof *to) < 0) {
        int error = errno;
        close(fd);
        return error;
    }
    need(accept4(door, (struct sockaddr *)&seen, &length, SOCK_CLOEXEC), "accept4");
    return seen.sin_port == from->sin_port ? 0 : EPROTO;
}

void try_two_to_48(struct finding *f, bool is_quick)
{
    (void)is_quick;
    struct sockaddr_in to[2], from = fixture_address(1, 0);
    int doors[2], errors[2];
    for (int i = 0; i < 2; i++) {
        doors[i] = fixture_listen(8, &to[i]);
        errors[i] = join(doors[i], &to[i], &from);
    }
    if (errors[0] != 0)
        give_up("could not be tried: connect: %s", error_name(errors[0]));
    int again = join(doors[0], &to[0], &from);
    bool both = errors[0] == 0 && errors[1] == 0;
    enum verdict verdict = both && again != 0 ? CLAIM_DEPENDS : both ? CLAIM_FAILS : CLAIM_HOLDS;
    finding_set(f, verdict,
                "%s127.0.0.1:%u was connected to port %u and to port %u of one "
                "machine at the same time, and once more to the first: %s; %s",
                depends_on(verdict, "what a server is"), ntohs(from.sin_port),
                ntohs(to[0].sin_port), ntohs(to[1].sin_port),
                again ? error_name(again) : "connected",
                both ? "the bound is one of each local address and port, not of a server"
                     : "no more than one was possible");
}

/* ---------------------------------------------------------------------------- connecting */

static int begin_connect(const struct sockaddr_in *to, int *fd)
{
    *fd = need(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
    return connect(*fd, (const struct sockaddr *)to, sizeof *to) < 0 ? errno : 0;
}

static bool is_writable(int fd, int timeout_ms)
{
    struct pollfd item = {.fd = fd, .events = POLLOUT};
    return need(poll(&item, 1, timeout_ms), "poll") > 0 && item.revents & POLLOUT;
}

static int pending_error(int fd)
{
    int error = 0;
    socklen_t length = sizeof error;
    need(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length), "SO_ERROR");
    return error;
}

void try_nonblocking_connect(struct finding *f, bool is_quick)
{
    (void)is_quick;
    struct sockaddr_in open_at, closed_at, full_at;
    int good, refused, waits, filler;
    fixture_listen(8, &open_at);
    close(fixture_listen(8, &closed_at));
    fixture_listen(0, &full_at);
    for (int i = 0; i < 2; i++) { /* its queue of 0 is full with one; the second waits, too */
        begin_connect(&full_at, &filler);
        is_writable(filler, i == 0 ? 1000 : 20);
    }
    int good_begun = begin_connect(&open_at, &good),
        bad_begun = begin_connect(&closed_at, &refused);
    begin_connect(&full_at, &waits);
    if (good_begun != 0 && good_begun != EINPROGRESS)
        give_up("could not be tried: connect: %s", error_name(good_begun));
    bool good_writable = is_writable(good, 1000), bad_writable = is_writable(refused, 1000);
    bool early = is_writable(waits, 50);
    int good_error = pending_error(good), bad_error = pending_error(refused);
    bool holds = good_writable && good_error == 0 && bad_writable && bad_error == ECONNREFUSED &&
                 !early;
    finding_set(
        f, holds ? CLAIM_HOLDS : CLAIM_FAILS,
        "connect said %s; when it was done the socket was %s and SO_ERROR had %s; to a closed "
        "port %s, %s and %s; while the handshake waits (the accept queue is full) it was "
        "%s for 50 ms",
        error_name(good_begun), good_writable ? "writable" : "not writable", error_name(good_error),
        error_name(bad_begun), bad_writable ? "writable" : "not writable", error_name(bad_error),
        early ? "writable" : "not writable");
}

void try_accept_completes(struct finding *f, bool is_quick)
{
    (void)is_quick;
    struct sockaddr_in address;
    char bytes[8];
    int door = fixture_listen(8, &address), fd = fixture_connect(&address);
    fixture_send(fd, 5);
    bool is_writable_before = is_writable(fd, 0);
    int served = need(accept4(door, NULL, NULL, SOCK_CLOEXEC), "accept4");
    int n = need((int)recv(served, bytes, sizeof bytes, 0), "recv");
    finding_set(f, is_writable_before && n == 5 ? CLAIM_FAILS : CLAIM_HOLDS,
                "before accept was called connect had returned, send had taken 5 bytes, and the "
                "client was %s; accept then gave a socket with %d bytes in it",
                is_writable_before ? "writable" : "not writable", n);
}

/* How many of the clients are connected within 100 ms, with nobody that accepts. */
static int let_in(int backlog, int clients)
{
    struct sockaddr_in address;
    int connected = 0, fd;
    fixture_listen(backlog, &address);
    for (int i = 0; i < clients; i++) {
        begin_connect(&address, &fd);
        connected += is_writable(fd, i < backlog + 1 ? 1000 : 20);
    }
    return connected;
}

void try_backlog(struct finding *f, bool is_quick)
{
    int backlog = is_quick ? 4 : 16, in = let_in(backlog, backlog + 4);
    finding_set(f, in == backlog ? CLAIM_HOLDS : CLAIM_FAILS,
                "with listen(fd, %d) and nobody that accepts, %d of %d clients were connected, %+d "
                "to the backlog; net.core.somaxconn is %ld here",
                backlog, in, backlog + 4, in - backlog,
                fixture_number("/proc/sys/net/core/somaxconn", ""));
}

/* ------------------------------------------------------------------------------- errors */

/* The peer closes with SO_LINGER 0: a reset. */
void try_error_reads_0(struct finding *f, bool is_quick)
{
    (void)is_quick;
    char byte;
    struct linger now = {.l_onoff = 1};
    struct fixture_pair pair = fixture_pair();
    need(setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &now, sizeof now), "SO_LINGER");
    close(pair.client);
    bool readable = fixture_readable(pair.server, 1000);
    int first = (int)recv(pair.server, &byte, 1, MSG_DONTWAIT), error = first < 0 ? errno : 0;
    int second = (int)recv(pair.server, &byte, 1, MSG_DONTWAIT);
    finding_set(f, readable && first == 0 ? CLAIM_HOLDS : CLAIM_FAILS,
                "after a reset the socket was %s and recv did not block; it returned %d (%s), and "
                "the next one %d",
                readable ? "readable" : "not readable", first, error_name(error), second);
}
