/* What select(2) and poll(2) do: sets, limits, and what "ready" means. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"
#include "lab/kernel/pause.h"

void try_poll_limit(struct finding *f, bool is_quick)
{
    (void)is_quick;
    enum { LIMIT = 32 };
    struct pollfd items[LIMIT + 1];
    for (int i = 0; i <= LIMIT; i++)
        items[i] = (struct pollfd){.fd = -1, .events = POLLIN}; /* none is open, none is used */
    struct rlimit limit;
    need(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    int high = poll(items, LIMIT + 1, 0);
    limit.rlim_cur = LIMIT;
    need(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    int within = poll(items, LIMIT, 0), past = poll(items, LIMIT + 1, 0);
    int error = past < 0 ? errno : 0;
    finding_set(
        f, within == 0 && past < 0 ? CLAIM_FAILS : CLAIM_HOLDS,
        "what it is given is an array; with RLIMIT_NOFILE at %d, one of %d entries: %s, of %d: %s, "
        "and of as many before: %s",
        LIMIT, LIMIT, within == 0 ? "no error" : "refused", LIMIT + 1, error_name(error),
        high == 0 ? "no error" : "refused");
}

#define HIGH_FD 1500

/* What becomes of a process that puts a descriptor past the end of its fd_set; the status. */
static int set_past_end(int fd)
{
    pid_t pid = fixture_fork();
    int status = 0;
    if (pid == 0) {
        fd_set set;
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, STDERR_FILENO); /* libc tells of it */
        FD_ZERO(&set);
        FD_SET(fd, &set);
        _exit(0);
    }
    need(waitpid(pid, &status, 0), "waitpid");
    return status;
}

void try_select_1024(struct finding *f, bool is_quick)
{
    (void)is_quick;
    if (fixture_descriptors() <= HIGH_FD)
        give_up("could not be tried: RLIMIT_NOFILE allows no descriptor %d", HIGH_FD);
    struct fixture_pair pair = fixture_pair();
    int fd = need(dup2(pair.server, HIGH_FD), "dup2");
    size_t words = HIGH_FD / (8 * sizeof(long)) + 1;
    unsigned long *bits = need_pointer(calloc(words, sizeof *bits), "calloc");
    bits[fd / (8 * (int)sizeof(long))] |= 1UL << fd % (8 * (int)sizeof(long));
    fixture_send(pair.client, 1);
    struct timespec time = {.tv_sec = 1};
    int n = (int)syscall(SYS_pselect6, fd + 1, bits, NULL, NULL, &time, NULL);
    int status = set_past_end(fd);
    enum verdict verdict = n == 1 ? CLAIM_DEPENDS : CLAIM_HOLDS;
    finding_set(f, verdict,
                "%sthe kernel's, given a longer bitmap, returned %d for descriptor "
                "%d; libc's fd_set has %zu bits (FD_SETSIZE %d), and FD_SET(%d) %s",
                depends_on(verdict, "whose select"), n, fd, sizeof(fd_set) * 8, FD_SETSIZE, fd,
                WIFSIGNALED(status) ? "ended its process (SIGABRT of a fortified libc)"
                                    : "wrote past its end unnoticed");
}

void try_select_twice(struct finding *f, bool is_quick)
{
    (void)is_quick;
    struct fixture_pair pair = fixture_pair();
    fixture_send(pair.client, 1);
    if (!fixture_readable(pair.server, 1000))
        give_up("could not be tried: a byte that was sent did not come");
    fd_set readable, writable;
    struct timeval time = {0};
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(pair.server, &readable);
    FD_SET(pair.server, &writable);
    int by_select = need(select(pair.server + 1, &readable, &writable, NULL, &time), "select");
    struct pollfd item = {.fd = pair.server, .events = POLLIN | POLLOUT};
    int by_poll = need(poll(&item, 1, 0), "poll"), epoll = fixture_epoll();
    fixture_watch(epoll, pair.server, EPOLLIN | EPOLLOUT);
    finding_set(f, by_select == 2 ? CLAIM_HOLDS : CLAIM_FAILS,
                "of one socket that is readable and writable, select returned %d, poll %d and "
                "epoll_wait %d",
                by_select, by_poll, fixture_events(epoll, 0));
}

void try_select_anew(struct finding *f, bool is_quick)
{
    (void)is_quick;
    struct fixture_pair pair = fixture_pair();
    fd_set set;
    struct timeval time = {.tv_usec = 1000};
    struct pollfd item = {.fd = pair.server, .events = POLLIN};
    FD_ZERO(&set);
    FD_SET(pair.server, &set);
    need(select(pair.server + 1, &set, NULL, NULL, &time), "select");
    need(poll(&item, 1, 1), "poll");
    bool was_cleared = !FD_ISSET(pair.server, &set);
    fixture_send(pair.client, 1);
    time = (struct timeval){.tv_usec = 50000};
    int by_select = need(select(pair.server + 1, &set, NULL, NULL, &time), "select");
    int by_poll = need(poll(&item, 1, 1000), "poll");
    finding_set(f, by_select == 0 && by_poll == 1 ? CLAIM_HOLDS : CLAIM_FAILS,
                "the second call with what the first, which timed out, had left: select found %d "
                "ready descriptors, as its set had been %s, and poll %d",
                by_select, was_cleared ? "emptied" : "kept", by_poll);
}

/* ---------------------------------------------------------------------------- readiness */

static bool select_readable(int fd)
{
    fd_set set;
    struct timeval time = {0};
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return need(select(fd + 1, &set, NULL, NULL, &time), "select") > 0;
}

void try_regular_file(struct finding *f, bool is_quick)
{
    (void)is_quick;
    int fd = need(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "/proc/self/exe");
    need(lseek(fd, 0, SEEK_END) < 0 ? -1 : 0, "lseek"); /* nothing left to read */
    struct epoll_event event = {.events = EPOLLIN};
    bool by_select = select_readable(fd), by_poll = fixture_readable(fd, 0);
    int added = epoll_ctl(fixture_epoll(), EPOLL_CTL_ADD, fd, &event);
    int error = added < 0 ? errno : 0;
    finding_set(f, by_select && by_poll && error == EPERM ? CLAIM_HOLDS : CLAIM_FAILS,
                "a regular file that was read to its end: select says %s, poll says %s, "
                "EPOLL_CTL_ADD says %s",
                by_select ? "readable" : "not readable", by_poll ? "readable" : "not readable",
                error_name(error));
}

/* Two readers of one socket, one datagram: both are told, and the slower one finds nothing. */
static bool second_reader_starves(void)
{
    struct sockaddr_in address;
    char byte;
    int fd = fixture_udp(&address),
        from = need(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
    need(connect(from, (struct sockaddr *)&address, sizeof address), "connect");
    fixture_send(from, 1);
    if (!fixture_readable(fd, 1000) || !select_readable(fd))
        return false;
    ssize_t first = recv(fd, &byte, 1, MSG_DONTWAIT), second = recv(fd, &byte, 1, MSG_DONTWAIT);
    return first == 1 && second < 0 && errno == EAGAIN;
}

struct datagram {
    uint16_t from, to, length, checksum;
    char bytes[200]; /* the kernel checks those up to 76 bytes before they are queued */
};

enum bad_sum { NOT_PERMITTED, NOT_TOLD, TOLD_WRONGLY };

/* What select says of a UDP socket that got a datagram with a wrong checksum. */
static enum bad_sum bad_checksum(bool is_blocking)
{
    struct sockaddr_in address;
    char byte;
    int fd = fixture_udp(&address);
    int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
    if (raw < 0)
        return NOT_PERMITTED;
    if (!is_blocking)
        fixture_nonblocking(fd);
    struct datagram datagram = {.from = address.sin_port,
                                .to = address.sin_port,
                                .length = htons(sizeof datagram),
                                .checksum = htons(0x1234)};
    need((int)sendto(raw, &datagram, sizeof datagram, 0, (struct sockaddr *)&address,
                     sizeof address),
         "sendto");
    close(raw);
    bool is_told = false;
    for (int i = 0; i < 20 && !is_told; i++) {
        pause_us(1000);
        is_told = select_readable(fd);
    }
    return is_told && recv(fd, &byte, 1, MSG_DONTWAIT) < 0 ? TOLD_WRONGLY : NOT_TOLD;
}

void try_wrong_readiness(struct finding *f, bool is_quick)
{
    (void)is_quick;
    static const char *const words[] = {
        [NOT_PERMITTED] = "not permitted to try",
        [NOT_TOLD] = "not readable",
        [TOLD_WRONGLY] = "readable, and then there is nothing (EAGAIN)"};
    bool starves = second_reader_starves();
    enum bad_sum blocking = bad_checksum(true), nonblocking = bad_checksum(false);
    bool wrong = starves || blocking == TOLD_WRONGLY || nonblocking == TOLD_WRONGLY;
    finding_set(
        f, wrong ? CLAIM_HOLDS : CLAIM_FAILS,
        "of two readers who are both told of one datagram the second %s; select on a datagram with "
        "a wrong checksum: a non-blocking socket is %s, a blocking one %s",
        starves ? "finds nothing (EAGAIN)" : "finds one, too", words[nonblocking], words[blocking]);
}

/* ----------------------------------------------------------------------------- limits */

/* How many eventfds may be opened until there are so many; *error: what ended it. */
static size_t open_more(size_t wanted, int *last, int *error)
{
    size_t count = 0;
    for (; count < wanted; count++) {
        int fd = eventfd(0, EFD_CLOEXEC);
        *error = fd < 0 ? errno : 0;
        if (fd < 0)
            break;
        *last = fd;
    }
    return count;
}

void try_1024_descriptors(struct finding *f, bool is_quick)
{
    (void)is_quick;
    struct rlimit limit;
    int last = -1, error = 0, later_error = 0;
    need(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    rlim_t hard = limit.rlim_max;
    limit.rlim_cur = hard < 1024 ? hard : 1024;
    need(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    size_t first = open_more(2048, &last, &error);
    limit.rlim_cur = hard;
    need(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    size_t more = open_more(2048, &last, &later_error);
    enum verdict verdict = hard == 1024 ? CLAIM_HOLDS : CLAIM_DEPENDS;
    finding_set(f, verdict,
                "%swith the soft limit at %llu %zu more were opened, and then %s; raised to the "
                "hard limit of %llu, without privilege, %zu more (%s), up to number %d",
                depends_on(verdict, "RLIMIT_NOFILE"),
                (unsigned long long)(hard < 1024 ? hard : 1024), first, error_name(error),
                (unsigned long long)hard, more, error_name(later_error), last);
}
