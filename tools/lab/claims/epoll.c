/* What epoll(7) does: who is told, how often, and in whose memory. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"
#include "lab/kernel/pause.h"

/* How many of `waits` calls say that this unread byte is there. */
static int told(uint32_t events, int waits)
{
    int count = 0, epoll = fixture_epoll();
    struct fixture_pair pair = fixture_pair();
    fixture_watch(epoll, pair.server, events);
    fixture_send(pair.client, 1);
    for (int i = 0; i < waits; i++)
        count += fixture_events(epoll, i == 0 ? 1000 : 20);
    close(pair.client);
    close(pair.server);
    close(epoll);
    return count;
}

void try_epoll_default(struct finding *f, bool is_quick)
{
    int waits = is_quick ? 3 : 10;
    int by_default = told(EPOLLIN, waits), edge = told(EPOLLIN | EPOLLET, waits);
    finding_set(f, by_default == 1 ? CLAIM_HOLDS : CLAIM_FAILS,
                "epoll_wait returned the same unread byte %d times of %d without EPOLLET, "
                "and %d of %d with it",
                by_default, waits, edge, waits);
}

#define MAPPED_ITEMS 32

/* Events that are there are written to an array; what is done to the array afterwards is not
 * known to the next call, which has the same ones in the same order. */
static bool is_copied(int epoll)
{
    struct epoll_event first[MAPPED_ITEMS], second[MAPPED_ITEMS];
    int seen[MAPPED_ITEMS], same = 0;
    int n = need(epoll_wait(epoll, first, MAPPED_ITEMS, 1000), "epoll_wait");
    for (int i = 0; i < n; i++)
        seen[i] = first[i].data.fd;
    memset(first, 0, sizeof first);
    memset(second, 0xff, sizeof second);
    int m = need(epoll_wait(epoll, second, MAPPED_ITEMS, 0), "epoll_wait");
    for (int i = 0; i < m && i < n; i++)
        same += second[i].events == EPOLLIN && second[i].data.fd == seen[i];
    return n == MAPPED_ITEMS && same == n;
}

void try_epoll_mmap(struct finding *f, bool is_quick)
{
    (void)is_quick;
    int *fds = fixture_eventfds(MAPPED_ITEMS);
    size_t before = fixture_lines("/proc/self/maps");
    int epoll = fixture_epoll();
    for (int i = 0; i < MAPPED_ITEMS; i++) {
        fixture_watch(epoll, fds[i], EPOLLIN);
        fixture_raise(fds[i]);
    }
    bool copied = is_copied(epoll);
    size_t after = fixture_lines("/proc/self/maps");
    void *shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED, epoll, 0);
    int map_error = shared == MAP_FAILED ? errno : 0;
    struct epoll_event *read_only = need_pointer(
        mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), "mmap");
    int n = epoll_wait(epoll, read_only, 1, 0);
    int write_error = n < 0 ? errno : 0;
    bool is_shared = after != before || map_error == 0 || !copied || write_error != EFAULT;
    finding_set(f, is_shared ? CLAIM_DEPENDS : CLAIM_FAILS,
                "/proc/self/maps has %zu mappings before epoll_create1 and %zu after %d events; "
                "mmap of the epoll descriptor: %s; an array that may not be written: %s; what was "
                "overwritten in one array was %s in the next",
                before, after, MAPPED_ITEMS, error_name(map_error), error_name(write_error),
                copied ? "whole" : "not whole");
}

void try_epoll_size(struct finding *f, bool is_quick)
{
    size_t count = is_quick ? 200 : 1000, added = 0;
    int *fds = fixture_eventfds(count);
    int epoll = need(epoll_create(1), "epoll_create");
    struct epoll_event event = {.events = EPOLLIN};
    while (added < count && epoll_ctl(epoll, EPOLL_CTL_ADD, fds[added], &event) == 0)
        added++;
    int none = epoll_create(0), error = none < 0 ? errno : 0;
    finding_set(f, added > 1 ? CLAIM_FAILS : CLAIM_HOLDS,
                "an epoll descriptor of epoll_create(1) took %zu of %zu descriptors; "
                "epoll_create(0): %s",
                added, count, error_name(error));
}

/* Each call takes as many as it may; those that are left come with the next ones. */
void try_maxevents(struct finding *f, bool is_quick)
{
    (void)is_quick;
    enum { COUNT = 10 };
    int *fds = fixture_eventfds(COUNT), epoll = fixture_epoll(), seen = 0;
    for (int i = 0; i < COUNT; i++) {
        fixture_watch(epoll, fds[i], EPOLLIN);
        fixture_raise(fds[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        struct epoll_event event;
        if (need(epoll_wait(epoll, &event, 1, 0), "epoll_wait") != 1)
            break;
        fixture_lower(event.data.fd);
        seen++;
    }
    finding_set(f, seen == COUNT ? CLAIM_FAILS : CLAIM_HOLDS,
                "with %d descriptors ready and an array of 1, %d calls of epoll_wait told of %d of "
                "them",
                COUNT, COUNT, seen);
}

#define HELD      40 /* descriptors that a child holds */
#define HOLDERS   4
#define LIMIT_FEW 60

/* Descriptors that are registered and then closed stay registered while another process has what
 * they name. The child ends when it is killed. */
static void register_held(int epoll)
{
    int fds[HELD];
    for (int i = 0; i < HELD; i++) {
        fds[i] = need(eventfd(0, EFD_CLOEXEC), "eventfd");
        fixture_watch(epoll, fds[i], EPOLLIN);
        fixture_raise(fds[i]);
    }
    if (fixture_fork() == 0)
        for (;;)
            pause();
    for (int i = 0; i < HELD; i++)
        close(fds[i]);
}

void try_epoll_limit(struct finding *f, bool is_quick)
{
    (void)is_quick;
    struct rlimit limit;
    struct epoll_event events[HELD * HOLDERS];
    int epoll = fixture_epoll();
    need(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    limit.rlim_cur = LIMIT_FEW;
    need(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    for (int i = 0; i < HOLDERS; i++)
        register_held(epoll);
    int n = need(epoll_wait(epoll, events, HELD * HOLDERS, 0), "epoll_wait");
    long watches = fixture_number("/proc/sys/fs/epoll/max_user_watches", "");
    finding_set(f, n > LIMIT_FEW ? CLAIM_FAILS : CLAIM_HOLDS,
                "with RLIMIT_NOFILE at %d one epoll descriptor watched, and told of, %d eventfds: "
                "what was registered stays when it is closed here and another process has it; a "
                "user may have fs.epoll.max_user_watches, %ld here",
                LIMIT_FEW, n, watches);
}

/* ------------------------------------------------------------------------------ edges */

/* Whether a recv(2) of a blocking socket that has nothing returns within 50 ms. */
static bool recv_returns(int fd)
{
    pid_t pid = fixture_fork();
    char byte;
    if (pid == 0)
        _exit(recv(fd, &byte, 1, 0) < 0);
    int epoll = fixture_epoll();
    fixture_asleep(pid);
    pause_us(50000);
    pid_t ended = (pid_t)need(waitpid(pid, NULL, WNOHANG), "waitpid");
    close(epoll);
    if (ended == 0)
        fixture_end(pid);
    return ended != 0;
}

/* Takes what is there from a blocking socket without waiting, as often as it is told to. */
static int taken_by_flag(int rounds, struct fixture_pair pair, int epoll)
{
    char bytes[16];
    int taken = 0;
    for (int i = 0; i < rounds; i++) {
        fixture_send(pair.client, 100);
        if (fixture_events(epoll, 1000) != 1)
            break;
        for (ssize_t n; (n = recv(pair.server, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
            taken += (int)n;
    }
    return taken;
}

void try_et_blocking(struct finding *f, bool is_quick)
{
    int rounds = is_quick ? 10 : 100, epoll = fixture_epoll();
    struct fixture_pair pair = fixture_pair();
    fixture_watch(epoll, pair.server, EPOLLIN | EPOLLET);
    int taken = taken_by_flag(rounds, pair, epoll);
    bool returns = recv_returns(pair.server);
    enum verdict verdict = taken != rounds * 100 ? CLAIM_HOLDS
                           : returns             ? CLAIM_FAILS
                                                 : CLAIM_DEPENDS;
    finding_set(f, verdict,
                "%sa blocking socket with EPOLLET, read until EAGAIN with "
                "MSG_DONTWAIT, gave %d of %d bytes in %d rounds; with plain recv the one call that "
                "finds nothing %s",
                depends_on(verdict, "how it is read"), taken, rounds * 100, rounds,
                returns ? "returned" : "slept on, and with it all other connections of its thread");
}

void try_et_once(struct finding *f, bool is_quick)
{
    (void)is_quick;
    int epoll = fixture_epoll();
    struct fixture_pair pair = fixture_pair();
    fixture_watch(epoll, pair.server, EPOLLIN | EPOLLET);
    fixture_send(pair.client, 1);
    int first = fixture_events(epoll, 1000), rest = fixture_events(epoll, 20);
    fixture_send(pair.client, 1);
    int more = fixture_events(epoll, 1000);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = pair.server};
    need(epoll_ctl(epoll, EPOLL_CTL_MOD, pair.server, &event), "epoll_ctl");
    int again = fixture_events(epoll, 20);
    finding_set(f, more == 0 && again == 0 ? CLAIM_HOLDS : CLAIM_FAILS,
                "nothing was read: the first byte gave %d event, waiting on gave %d, a second byte "
                "behind it gave %d more, and EPOLL_CTL_MOD gave %d",
                first, rest, more, again);
}

void try_level_only(struct finding *f, bool is_quick)
{
    int waits = is_quick ? 3 : 10, by_poll = 0, by_select = 0;
    struct fixture_pair pair = fixture_pair();
    fixture_send(pair.client, 1);
    for (int i = 0; i < waits; i++) {
        fd_set set;
        struct timeval time = {.tv_sec = 1};
        FD_ZERO(&set);
        FD_SET(pair.server, &set);
        by_poll += fixture_readable(pair.server, 1000);
        by_select += need(select(pair.server + 1, &set, NULL, NULL, &time), "select");
    }
    int edge = told(EPOLLIN | EPOLLET, waits);
    bool holds = by_poll == waits && by_select == waits && edge == 1;
    finding_set(f, holds ? CLAIM_HOLDS : CLAIM_FAILS,
                "an unread byte was told by poll %d times of %d, by select %d, by epoll with "
                "EPOLLET %d",
                by_poll, waits, by_select, edge);
}

/* ---------------------------------------------------------------------------- wake-ups */

void try_eventfd(struct finding *f, bool is_quick)
{
    enum { ROUNDS_MAX = 200 };
    size_t rounds = is_quick ? 20 : ROUNDS_MAX, woken = 0;
    double us[ROUNDS_MAX];
    int epoll = fixture_epoll(), *fds = fixture_eventfds(2);
    fixture_watch(epoll, fds[0], EPOLLIN);
    pid_t pid = fixture_fork();
    for (size_t i = 0; pid == 0 && i < rounds; i++) {
        if (fixture_events(epoll, -1) != 1)
            _exit(1);
        fixture_lower(fds[0]);
        fixture_raise(fds[1]);
    }
    if (pid == 0)
        _exit(0);
    for (size_t i = 0; i < rounds; i++) {
        fixture_asleep(pid);
        int64_t begun = fixture_wall_ns();
        fixture_raise(fds[0]);
        if (!fixture_readable(fds[1], 1000))
            break;
        us[woken++] = (double)(fixture_wall_ns() - begun) / 1e3;
        fixture_lower(fds[1]);
    }
    fixture_end(pid);
    finding_set(f, woken == rounds ? CLAIM_HOLDS : CLAIM_FAILS,
                "a process asleep in epoll_wait returned and answered %zu times of %zu, %.0f us "
                "(median, both ways) after a write to an eventfd that it watched",
                woken, rounds, woken ? fixture_median(us, woken) : 0.0);
}
