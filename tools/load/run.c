#include "load/run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "load/client.h"
#include "load/fifo.h"
#include "os/loop.h"

/* A client whose connects fail in a row waits that long, so as not to spin: 100 a second still
 * see a server come back within a blink. */
#define PAUSE_US 10000

#define SECOND_US 1000000

/* What a connection is watched for. RDHUP: the answer's read then also tells of the peer's end. */
#define READABLE (EPOLLIN | EPOLLRDHUP)

/* A client and what the run knows of it. */
struct seat {
    struct client client;
    struct run *run;
    struct fifo_node flight; /* its request is under way, since then */
    struct fifo_node pause;  /* it waits before it connects again, since then */
    uint32_t watched;        /* events that the loop watches its connection for */
    unsigned failures;       /* connects in a row that failed */
};

struct run {
    const struct job *job;
    const struct run_limits *limits;
    struct run_result *result;
    struct loop *loop;
    struct seat *seats;
    struct fifo flight;
    struct fifo pause;
    uint64_t begun;
    int64_t now_us;
    int64_t start_us;
    int64_t end_us;  /* no request starts from then on */
    int64_t last_us; /* the last request was over */
    int64_t progress_us;
    uint64_t progress_answered;
    int signal_fd;
    sigset_t old_mask;
};

static int64_t clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail with this clock */
    return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

/* Later than any clock goes, instead of an overflow. */
static int64_t later(int64_t from_us, int64_t by_us)
{
    int64_t sum;
    return __builtin_add_overflow(from_us, by_us, &sum) ? INT64_MAX : sum;
}

static bool may_begin(const struct run *run)
{
    return run->begun < run->limits->requests && run->now_us < run->end_us;
}

static void seat_disconnect(struct seat *seat)
{
    if (seat->watched)
        loop_delete(seat->run->loop, seat->client.fd);
    seat->watched = 0;
    client_close(&seat->client);
}

static void tell_local(struct run *run, int error)
{
    if (run->result->local_error != error)
        fprintf(stderr,
                "drover-load: this machine, not the server, cannot open more connections: %s\n",
                strerror(error));
    run->result->local_error = error;
}

/* The request is over: into the ledger with it, once. */
static void seat_settle(struct seat *seat, enum outcome outcome)
{
    struct run *run = seat->run;
    ledger_add(&run->result->ledger, outcome, run->now_us - run->start_us);
    if (outcome == OUTCOME_ANSWERED)
        histogram_add(&run->result->latency, run->now_us - seat->flight.since_us);
    if (outcome == OUTCOME_LOCAL)
        tell_local(run, seat->client.error);
    seat->failures = client_is_connected(&seat->client) ? 0 : seat->failures + 1;
    run->last_us = run->now_us;
    fifo_remove(&seat->flight);
    if (client_is_spent(&seat->client) || outcome == OUTCOME_SILENT)
        seat_disconnect(seat);
}

static void seat_ready(struct loop *loop, int fd, uint32_t events, void *context);

/* A kept connection is watched once; only one that must wait to send is watched twice. */
static enum client_want seat_watch(struct seat *seat, uint32_t events)
{
    struct loop *loop = seat->run->loop;
    int fd = seat->client.fd;
    if (seat->watched == events)
        return CLIENT_READ;
    int done = seat->watched ? loop_change(loop, fd, events)
                             : loop_add(loop, fd, events, seat_ready, seat);
    if (done == 0) {
        seat->watched = events;
        return CLIENT_READ;
    }
    seat->client.outcome = OUTCOME_LOCAL;
    seat->client.error = errno;
    seat_disconnect(seat);
    return CLIENT_OVER;
}

static enum client_want seat_wait(struct seat *seat, enum client_want want)
{
    if (want == CLIENT_READ)
        return seat_watch(seat, READABLE);
    if (want == CLIENT_WRITE)
        return seat_watch(seat, EPOLLOUT);
    fifo_append(&seat->run->pause, &seat->pause, seat->run->now_us);
    return CLIENT_LATER;
}

static enum client_want seat_begin(struct seat *seat)
{
    struct run *run = seat->run;
    run->begun++;
    fifo_append(&run->flight, &seat->flight, run->now_us);
    return client_ask(&seat->client, run->job);
}

/* Does what the client wants, and gives it the next request whenever one is over. */
static void seat_go(struct seat *seat, enum client_want want)
{
    for (;;) {
        if (want != CLIENT_OVER)
            want = seat_wait(seat, want);
        if (want != CLIENT_OVER)
            return;
        seat_settle(seat, seat->client.outcome);
        if (!may_begin(seat->run)) {
            seat_disconnect(seat);
            return;
        }
        if (seat->failures > 1) {
            fifo_append(&seat->run->pause, &seat->pause, seat->run->now_us);
            return;
        }
        want = seat_begin(seat);
    }
}

static void seat_ready(struct loop *loop, int fd, uint32_t events, void *context)
{
    (void)loop;
    (void)fd;
    struct seat *seat = context;
    bool peer_closed = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    enum client_want want = client_step(&seat->client, seat->run->job, peer_closed);
    seat->run->now_us = clock_us(); /* after the read: an answer's time ends with its last byte */
    seat_go(seat, want);
}

/* A request that waits for room in a unix listener's queue is still under way. */
static void seat_resume(struct seat *seat)
{
    fifo_remove(&seat->pause);
    if (seat->flight.next)
        seat_go(seat, client_ask(&seat->client, seat->run->job));
    else if (may_begin(seat->run))
        seat_go(seat, seat_begin(seat));
}

static void seat_expire(struct seat *seat)
{
    fifo_remove(&seat->pause);
    seat_settle(seat, OUTCOME_SILENT);
    if (may_begin(seat->run))
        seat_go(seat, seat_begin(seat));
}

static void expire(struct run *run)
{
    struct fifo_node *node;
    while ((node = fifo_first_since(&run->flight, run->now_us - run->limits->timeout_us)))
        seat_expire(FIFO_OWNER(node, struct seat, flight));
    while ((node = fifo_first_since(&run->pause, run->now_us - PAUSE_US)))
        seat_resume(FIFO_OWNER(node, struct seat, pause));
}

static void show_progress(struct run *run)
{
    uint64_t answered = run->result->ledger.count[OUTCOME_ANSWERED];
    fprintf(stderr,
            "\r%4" PRId64 " s  answered %" PRIu64 "  %" PRIu64 "/s  lost %" PRIu64 " \033[K",
            (run->now_us - run->start_us + SECOND_US / 2) / SECOND_US, answered,
            answered - run->progress_answered, ledger_lost(&run->result->ledger));
    run->progress_answered = answered;
}

static int wait_ms(const struct run *run)
{
    const struct fifo_node *flight = fifo_first(&run->flight);
    const struct fifo_node *pause = fifo_first(&run->pause);
    int64_t until = run->progress_us;
    if (flight && later(flight->since_us, run->limits->timeout_us) < until)
        until = later(flight->since_us, run->limits->timeout_us);
    if (pause && pause->since_us + PAUSE_US < until)
        until = pause->since_us + PAUSE_US;
    int64_t wait = (until - run->now_us + 999) / 1000;
    return wait < 0 ? 0 : (int)wait; /* a second at most */
}

static int turns(struct run *run)
{
    while (fifo_first(&run->flight) || fifo_first(&run->pause)) {
        if (loop_turn(run->loop, wait_ms(run), NULL, NULL) < 0)
            return -1;
        run->now_us = clock_us();
        expire(run);
        if (run->now_us < run->progress_us)
            continue;
        run->progress_us += SECOND_US;
        if (run->limits->progress)
            show_progress(run);
    }
    return 0;
}

/* The first signal ends the load, the next one the process. */
static void signalled(struct loop *loop, int fd, uint32_t events, void *context)
{
    (void)events;
    struct run *run = context;
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) < 0 && errno == EAGAIN)
        return;
    run->now_us = clock_us();
    if (run->now_us < run->end_us)
        run->end_us = run->now_us;
    loop_delete(loop, fd);
    signal(SIGINT, SIG_DFL); /* a shell's background job is started with it ignored */
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &run->old_mask, NULL); /* fails on a bad `how` only */
}

static int watch_signals(struct run *run)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, &run->old_mask) < 0)
        return -1;
    run->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (run->signal_fd < 0)
        return -1;
    return loop_add(run->loop, run->signal_fd, EPOLLIN, signalled, run);
}

static int run_open(struct run *run)
{
    unsigned clients = run->limits->clients;
    fifo_init(&run->flight);
    fifo_init(&run->pause);
    run->loop = loop_open();
    run->seats = calloc(clients, sizeof *run->seats);
    if (!run->loop || !run->seats)
        return -1;
    for (unsigned i = 0; i < clients; i++) {
        run->seats[i].run = run;
        client_init(&run->seats[i].client, i);
    }
    return watch_signals(run);
}

static void run_close(struct run *run)
{
    if (run->signal_fd >= 0)
        close(run->signal_fd);
    free(run->seats);
    loop_close(run->loop);
}

static void run_begin(struct run *run)
{
    run->now_us = run->start_us = run->last_us = clock_us();
    run->end_us = later(run->start_us, run->limits->duration_us);
    run->progress_us = run->start_us + SECOND_US;
    for (unsigned i = 0; i < run->limits->clients && may_begin(run); i++) {
        seat_go(&run->seats[i], seat_begin(&run->seats[i]));
        run->now_us = clock_us();
    }
}

static void run_total(struct run *run)
{
    struct run_result *result = run->result;
    bool used_up = run->begun >= run->limits->requests;
    result->elapsed_us = (used_up ? run->last_us : run->end_us) - run->start_us;
    for (unsigned i = 0; i < run->limits->clients; i++) {
        result->bytes += run->seats[i].client.bytes;
        result->connections += run->seats[i].client.connections;
    }
}

int run_load(const struct job *job, const struct run_limits *limits, struct run_result *result)
{
    struct run run = {.job = job, .limits = limits, .result = result, .signal_fd = -1};
    *result = (struct run_result){0};
    int done = run_open(&run);
    if (done == 0) {
        run_begin(&run);
        done = turns(&run);
        if (limits->progress)
            fputs("\r\033[K", stderr);
        run_total(&run);
    }
    int saved = errno;
    run_close(&run);
    errno = saved;
    return done;
}
