/* What a wait costs, by how many descriptors there are and how many of them are ready. */
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"

enum wait_kind { WAIT_SELECT, WAIT_POLL, WAIT_EPOLL, WAIT_KINDS };

#define WORD_BITS (8 * sizeof(long))

/* All descriptors that are waited for, and what each call is given of them. */
struct watched {
    int *fds;
    size_t n;
    int high; /* the highest number, and 1 */
    unsigned long *wanted, *found;
    size_t set_bytes;
    struct pollfd *items;
    struct epoll_event *events;
    int epoll;
};

static void watched_open(struct watched *c, size_t n)
{
    *c = (struct watched){.fds = fixture_eventfds(n), .n = n, .epoll = fixture_epoll()};
    for (size_t i = 0; i < n; i++)
        c->high = c->fds[i] >= c->high ? c->fds[i] + 1 : c->high;
    c->set_bytes = ((size_t)c->high / WORD_BITS + 1) * sizeof(long);
    c->wanted = need_pointer(calloc(1, c->set_bytes), "calloc");
    c->found = need_pointer(calloc(1, c->set_bytes), "calloc");
    c->items = need_pointer(calloc(n, sizeof *c->items), "calloc");
    c->events = need_pointer(calloc(n, sizeof *c->events), "calloc");
    for (size_t i = 0; i < n; i++) {
        size_t fd = (size_t)c->fds[i];
        c->wanted[fd / WORD_BITS] |= 1UL << fd % WORD_BITS;
        c->items[i] = (struct pollfd){.fd = c->fds[i], .events = POLLIN};
        fixture_watch(c->epoll, c->fds[i], EPOLLIN);
    }
}

static void watched_close(struct watched *c)
{
    for (size_t i = 0; i < c->n; i++)
        close(c->fds[i]);
    close(c->epoll);
    free(c->fds);
    free(c->wanted);
    free(c->found);
    free(c->items);
    free(c->events);
}

/* What became of a descriptor that is ready: it is read, or just counted. */
static size_t met(int fd, bool lowers)
{
    if (lowers)
        fixture_lower(fd);
    return 1;
}

/* Waits once, and walks through what came as a program has to. Returns how many were ready. The
 * system call itself, since libc's set for select ends at 1024. */
static size_t watched_wait(struct watched *c, enum wait_kind kind, bool lowers)
{
    size_t count = 0;
    struct timespec none = {0};
    if (kind == WAIT_SELECT) {
        memcpy(c->found, c->wanted, c->set_bytes);
        need((int)syscall(SYS_pselect6, c->high, c->found, NULL, NULL, &none, NULL), "pselect6");
        for (size_t i = 0; i < c->n; i++)
            if (c->found[(size_t)c->fds[i] / WORD_BITS] >> (size_t)c->fds[i] % WORD_BITS & 1)
                count += met(c->fds[i], lowers);
    } else if (kind == WAIT_POLL) {
        need(poll(c->items, c->n, 0), "poll");
        for (size_t i = 0; i < c->n; i++)
            if (c->items[i].revents)
                count += met(c->fds[i], lowers);
    } else {
        int n = need(epoll_wait(c->epoll, c->events, (int)c->n, 0), "epoll_wait");
        for (int i = 0; i < n; i++)
            count += met(c->events[i].data.fd, lowers);
    }
    return count;
}

#define ROUNDS 5

/* CPU time of one wait, in ns: the least of some rounds. What is ready stays so. */
static double wait_ns(struct watched *c, enum wait_kind kind, size_t ready)
{
    double ns[ROUNDS];
    size_t per_call = kind == WAIT_EPOLL ? ready : c->n;
    size_t calls = 20 + 20000 / (per_call + 50);
    for (size_t r = 0; r < ROUNDS; r++) {
        size_t seen = 0;
        int64_t begun = fixture_cpu_ns();
        for (size_t i = 0; i < calls; i++)
            seen += watched_wait(c, kind, false);
        ns[r] = (double)(fixture_cpu_ns() - begun) / (double)calls;
        if (seen != calls * ready)
            give_up("could not be tried: %zu of %zu descriptors were ready", seen / calls, ready);
    }
    return fixture_least(ns, ROUNDS);
}

/* One of n is ready, the last one; or all are. */
static double cost_of(enum wait_kind kind, size_t n, bool all)
{
    struct watched c;
    watched_open(&c, n);
    for (size_t i = all ? 0 : n - 1; i < n; i++)
        fixture_raise(c.fds[i]);
    double ns = wait_ns(&c, kind, all ? n : 1);
    watched_close(&c);
    return ns;
}

/* As many descriptors as wanted or as there may be. */
static size_t allowed(size_t wanted)
{
    size_t room = fixture_descriptors();
    room = room > 8 ? room - 8 : 0;
    return room < wanted ? room : wanted;
}

/* --------------------------------------------------------------------------- the claims */

void try_epoll_o1(struct finding *f, bool is_quick)
{
    (void)is_quick;
    size_t many = allowed(10000);
    double few_idle = cost_of(WAIT_EPOLL, 10, false), idle = cost_of(WAIT_EPOLL, many, false);
    double few_all = cost_of(WAIT_EPOLL, 10, true), all = cost_of(WAIT_EPOLL, many, true);
    bool flat = idle<2 * few_idle, grows = all> 2 * few_all;
    enum verdict verdict = flat && !grows ? CLAIM_HOLDS : flat ? CLAIM_DEPENDS : CLAIM_FAILS;
    finding_set(f, verdict,
                "%sepoll_wait with one ready of 10 takes %.2f us of CPU, with "
                "one of %zu %.2f us; with all of 10 ready %.2f us, with all of %zu %.0f us",
                depends_on(verdict, "how many are ready"), few_idle / 1e3, many, idle / 1e3,
                few_all / 1e3, many, all / 1e3);
}

void try_exponential(struct finding *f, bool is_quick)
{
    (void)is_quick;
    enum { POINTS = 5 };
    size_t most = allowed(10000), n[POINTS] = {most / 100, most / 30, most / 10, most / 3, most};
    double by_poll[POINTS], by_select[POINTS];
    if (most < 500)
        give_up("could not be tried: %zu descriptors do not tell", most);
    for (size_t i = 0; i < POINTS; i++) {
        by_poll[i] = cost_of(WAIT_POLL, n[i], false);
        by_select[i] = cost_of(WAIT_SELECT, n[i], false);
    }
    double p = fixture_exponent(n, by_poll, POINTS), s = fixture_exponent(n, by_select, POINTS);
    bool linear = p < 1.5 && s < 1.5;
    finding_set(
        f, linear ? CLAIM_FAILS : CLAIM_HOLDS,
        "it is %s: with one ready of %zu, %zu and %zu descriptors poll takes %.1f, %.1f and "
        "%.0f us of CPU, select %.1f, %.1f and %.0f us; fitted, the cost goes with n^%.2f "
        "and n^%.2f",
        linear ? "linear" : "worse than linear", n[0], n[2], n[4], by_poll[0] / 1e3,
        by_poll[2] / 1e3, by_poll[4] / 1e3, by_select[0] / 1e3, by_select[2] / 1e3,
        by_select[4] / 1e3, p, s);
}

/* A whole turn of a server whose connections are all active: raised, waited for, read. epoll's
 * part of the work is done when they are raised, so that counts, too. ns a descriptor. */
static double turn_ns(size_t n, enum wait_kind kind)
{
    struct watched c;
    double ns[ROUNDS * 2];
    watched_open(&c, n);
    if (kind != WAIT_EPOLL) { /* not to be told what it does not ask */
        close(c.epoll);
        c.epoll = fixture_epoll();
    }
    for (size_t r = 0; r < sizeof ns / sizeof *ns; r++) {
        int64_t begun = fixture_cpu_ns();
        for (size_t i = 0; i < n; i++)
            fixture_raise(c.fds[i]);
        size_t seen = watched_wait(&c, kind, true);
        ns[r] = (double)(fixture_cpu_ns() - begun) / (double)n;
        if (seen != n)
            give_up("could not be tried: %zu of %zu descriptors were ready", seen, n);
    }
    watched_close(&c);
    return fixture_least(ns, sizeof ns / sizeof *ns);
}

void try_all_active(struct finding *f, bool is_quick)
{
    size_t n = allowed(is_quick ? 500 : 1000);
    double ns[WAIT_KINDS], idle[WAIT_KINDS];
    for (int kind = 0; kind < WAIT_KINDS; kind++) {
        ns[kind] = turn_ns(n, (enum wait_kind)kind);
        idle[kind] = cost_of((enum wait_kind)kind, n, false);
    }
    bool keeps_up = ns[WAIT_POLL] < 1.1 * ns[WAIT_EPOLL] && ns[WAIT_SELECT] < 1.1 * ns[WAIT_EPOLL];
    finding_set(f, keeps_up ? CLAIM_HOLDS : CLAIM_FAILS,
                "%zu descriptors, all active: a turn (write, wait, read) takes %.0f ns of CPU a "
                "descriptor with select, %.0f with poll, %.0f with epoll; with one of them active "
                "a wait takes %.1f, %.1f and %.1f us",
                n, ns[WAIT_SELECT], ns[WAIT_POLL], ns[WAIT_EPOLL], idle[WAIT_SELECT] / 1e3,
                idle[WAIT_POLL] / 1e3, idle[WAIT_EPOLL] / 1e3);
}

/* One descriptor taken out of so many and put in again; ns. */
static double control_ns(size_t n)
{
    struct watched c;
    double ns[ROUNDS];
    const size_t calls = 2000;
    watched_open(&c, n);
    for (size_t r = 0; r < ROUNDS; r++) {
        int64_t begun = fixture_cpu_ns();
        for (size_t i = 0; i < calls; i++) {
            int fd = c.fds[i * 7919 % n]; /* a prime: spread over all */
            need(epoll_ctl(c.epoll, EPOLL_CTL_DEL, fd, NULL), "epoll_ctl");
            fixture_watch(c.epoll, fd, EPOLLIN);
        }
        ns[r] = (double)(fixture_cpu_ns() - begun) / (double)calls;
    }
    watched_close(&c);
    return fixture_least(ns, ROUNDS);
}

void try_control_log(struct finding *f, bool is_quick)
{
    (void)is_quick;
    size_t many = allowed(10000);
    if (many < 1000)
        give_up("could not be tried: %zu descriptors do not tell", many);
    double few = control_ns(100), most = control_ns(many);
    finding_set(f, most < 4 * few ? CLAIM_HOLDS : CLAIM_FAILS,
                "EPOLL_CTL_DEL and _ADD of one descriptor take %.0f ns of CPU among 100 and %.0f "
                "among %zu: %.1f times as much for %zu times as many (the logarithm: %.1f times; "
                "memory that is no longer in the cache is part of it)",
                few, most, many, most / few, many / 100, log((double)many) / log(100));
}

/* One descriptor alone, with this number; ns. */
static double one_at(int number, enum wait_kind kind)
{
    struct watched w;
    watched_open(&w, 1);
    int fd = need(dup2(w.fds[0], number), "dup2");
    free(w.wanted);
    free(w.found);
    w.fds[0] = w.items[0].fd = fd;
    w.high = fd + 1;
    w.set_bytes = ((size_t)w.high / WORD_BITS + 1) * sizeof(long);
    w.wanted = need_pointer(calloc(1, w.set_bytes), "calloc");
    w.found = need_pointer(calloc(1, w.set_bytes), "calloc");
    w.wanted[(size_t)fd / WORD_BITS] |= 1UL << (size_t)fd % WORD_BITS;
    fixture_raise(fd);
    double ns = wait_ns(&w, kind, 1);
    watched_close(&w);
    return ns;
}

void try_highest(struct finding *f, bool is_quick)
{
    (void)is_quick;
    int high = (int)allowed(10000), low = 200;
    if (high < 4096)
        give_up("could not be tried: RLIMIT_NOFILE allows no descriptor 4096");
    double select_low = one_at(low, WAIT_SELECT), select_high = one_at(high, WAIT_SELECT);
    double poll_low = one_at(low, WAIT_POLL), poll_high = one_at(high, WAIT_POLL);
    bool grows = select_high > 1.5 * select_low, poll_grows = poll_high > 1.5 * poll_low;
    finding_set(f, grows && !poll_grows ? CLAIM_HOLDS : CLAIM_FAILS,
                "a wait for one descriptor alone takes select %.2f us of CPU when its number is %d "
                "and %.2f us when it is %d; poll %.2f and %.2f us",
                select_low / 1e3, low, select_high / 1e3, high, poll_low / 1e3, poll_high / 1e3);
}
