/* Level-triggered and edge-triggered: system calls, CPU time, and threads. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"
#include "lab/kernel/pause.h"

#define READ_SIZE 4096

enum reading {
    LEVEL_ONCE,  /* one read a wait: what is left is told again */
    LEVEL_DRAIN, /* until EAGAIN */
    EDGE_DRAIN,
    EDGE_SHORT, /* until a read that is not full: then there was no more */
    READINGS
};

struct cost {
    double calls; /* system calls of the reader, a message */
    double us;    /* CPU time a message, sending included, which is the same for all */
};

/* Reads what has come after one wait, so that another is due if it is not all. */
static size_t read_some(int fd, enum reading how, size_t *calls)
{
    static char bytes[READ_SIZE];
    size_t got = 0;
    for (;;) {
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        ++*calls;
        if (n < 0 && errno == EAGAIN)
            return got;
        got += (size_t)need((int)n, "recv");
        if (how == LEVEL_ONCE || (how == EDGE_SHORT && n < (ssize_t)sizeof bytes))
            return got;
    }
}

static struct cost cost_once(enum reading how, size_t size, size_t messages)
{
    size_t calls = 0;
    int epoll = fixture_epoll();
    struct fixture_pair pair = fixture_unix();
    bool edge = how == EDGE_DRAIN || how == EDGE_SHORT;
    fixture_nonblocking(pair.server);
    fixture_watch(epoll, pair.server, edge ? EPOLLIN | EPOLLET : EPOLLIN);
    int64_t begun = fixture_cpu_ns();
    for (size_t i = 0; i < messages; i++) {
        fixture_send(pair.client, size);
        for (size_t got = 0; got < size; calls++) {
            if (fixture_events(epoll, 1000) != 1)
                give_up("could not be tried: %zu bytes of %zu were not told", size - got, size);
            got += read_some(pair.server, how, &calls);
        }
    }
    int64_t spent = fixture_cpu_ns() - begun;
    close(epoll);
    close(pair.client);
    close(pair.server);
    return (struct cost){.calls = (double)calls / (double)messages,
                         .us = (double)spent / 1e3 / (double)messages};
}

/* The least of interleaved rounds. */
static void costs_of(struct cost costs[READINGS], size_t size, size_t messages, int rounds)
{
    for (int r = 0; r < rounds; r++)
        for (int how = 0; how < READINGS; how++) {
            struct cost one = cost_once((enum reading)how, size, messages);
            if (r == 0 || one.us < costs[how].us)
                costs[how] = one;
        }
}

void try_et_faster(struct finding *f, bool is_quick)
{
    struct cost brief[READINGS], large[READINGS];
    int rounds = is_quick ? 5 : 15;
    costs_of(brief, 100, 1000, rounds);
    costs_of(large, 8 * READ_SIZE, 100, rounds);
    bool in_brief = brief[EDGE_DRAIN].us < 0.97 * brief[LEVEL_ONCE].us;
    bool in_large = large[EDGE_DRAIN].us < 0.97 * large[LEVEL_DRAIN].us;
    enum verdict verdict = in_brief && in_large ? CLAIM_HOLDS : CLAIM_DEPENDS;
    finding_set(
        f, verdict,
        "%ssystem calls and CPU us a message: 100 bytes: LT, one "
        "read a wait %.0f and %.2f, ET to EAGAIN %.0f and %.2f, ET to a short read %.0f and "
        "%.2f. 32 KB by 4: LT, one read a wait %.0f and %.1f, LT to EAGAIN %.0f and %.1f, "
        "ET to EAGAIN %.0f and %.1f",
        depends_on(verdict, "how much is read a wait"), brief[LEVEL_ONCE].calls,
        brief[LEVEL_ONCE].us, brief[EDGE_DRAIN].calls, brief[EDGE_DRAIN].us,
        brief[EDGE_SHORT].calls, brief[EDGE_SHORT].us, large[LEVEL_ONCE].calls,
        large[LEVEL_ONCE].us, large[LEVEL_DRAIN].calls, large[LEVEL_DRAIN].us,
        large[EDGE_DRAIN].calls, large[EDGE_DRAIN].us);
}

/* ------------------------------------------------------------------------------ oneshot */

/* Two threads that wait for one socket and take their time over what they are told. */
struct shared {
    int epoll, fd;
    bool is_oneshot;
    _Atomic int inside;   /* threads that have been told of the socket and are not done */
    _Atomic int overlaps; /* a second one came in */
    _Atomic int told;     /* events in all */
    _Atomic bool has_ended;
};

/* Long enough for another thread to be woken on a machine that is busy. */
#define WORK_US 20000

/* Between two messages; and for all of them. */
#define APART_US 300
#define TIME_MS  3000

/* `fd` is the one of the socket's descriptors that the event was registered with. */
static void handle(struct shared *s, int fd)
{
    char bytes[64];
    if (atomic_fetch_add(&s->inside, 1) > 0)
        atomic_fetch_add(&s->overlaps, 1);
    atomic_fetch_add(&s->told, 1);
    while (recv(s->fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
    /* The work, during which more comes: no longer than it takes for a second one to come in. */
    for (int64_t end = fixture_wall_ns() + WORK_US * 1000;
         s->inside == 1 && fixture_wall_ns() < end;)
        pause_us(100);
    atomic_fetch_sub(&s->inside, 1);
    struct epoll_event again = {.events = EPOLLIN | EPOLLET | EPOLLONESHOT, .data.fd = fd};
    if (s->is_oneshot)
        epoll_ctl(s->epoll, EPOLL_CTL_MOD, fd, &again);
}

static void *take_turns(void *context)
{
    struct shared *s = context;
    struct epoll_event event;
    while (!s->has_ended)
        if (epoll_wait(s->epoll, &event, 1, 10) == 1)
            handle(s, event.data.fd);
    return NULL;
}

/* Sends until so many events were told. `twice`: the socket is registered by a duplicate of its
 * descriptor, too. */
static void share(struct shared *s, bool is_oneshot, bool twice, int wanted)
{
    pthread_t threads[2];
    struct fixture_pair pair = fixture_pair();
    uint32_t events = EPOLLIN | EPOLLET | (is_oneshot ? (uint32_t)EPOLLONESHOT : 0);
    *s = (struct shared){.epoll = fixture_epoll(), .fd = pair.server, .is_oneshot = is_oneshot};
    fixture_watch(s->epoll, pair.server, events);
    if (twice)
        fixture_watch(s->epoll, need(dup(pair.server), "dup"), events);
    for (int i = 0; i < 2; i++)
        if ((errno = pthread_create(&threads[i], NULL, take_turns, s)) != 0)
            need(-1, "pthread_create");
    for (int64_t end = fixture_wall_ns() + TIME_MS * INT64_C(1000000);
         s->told < wanted && fixture_wall_ns() < end;) {
        fixture_send(pair.client, 1);
        pause_us(APART_US);
    }
    s->has_ended = true;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

void try_oneshot(struct finding *f, bool is_quick)
{
    int wanted = is_quick ? 10 : 40;
    struct shared without, with, twice;
    share(&without, false, false, wanted);
    share(&with, true, false, wanted);
    share(&twice, true, true, wanted);
    if (without.overlaps == 0)
        give_up("could not be tried: without EPOLLONESHOT no second thread came either (%d events)",
                without.told);
    enum verdict verdict = with.overlaps > 0    ? CLAIM_FAILS
                           : twice.overlaps > 0 ? CLAIM_DEPENDS
                                                : CLAIM_HOLDS;
    finding_set(
        f, verdict,
        "%stwo threads, a message each %d us, up to %d ms of work: with ET alone a second "
        "thread came to the socket %d times of %d, with EPOLLONESHOT %d of %d; registered by "
        "a dup(2) of it as well: %d of %d",
        depends_on(verdict, "how often it is registered"), APART_US, WORK_US / 1000,
        without.overlaps, without.told, with.overlaps, with.told, twice.overlaps, twice.told);
}
