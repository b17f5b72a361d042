#include "load/run.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "load/pace.h"
#include "load/seats.h"
#include "os/loop.h"

#define SECOND_US 1000000

/* An open loop's timer ticks at most so often. What is due in between is begun with the next tick,
 * or with any answer before it. */
#define TICK_US 50

struct run {
    const struct run_limits *limits;
    struct result *result;
    struct loop *loop;
    struct seats seats;
    int64_t progress_us;
    uint64_t progress_answered;
    int signal_fd;
    int timer_fd;
    sigset_t old_mask;
};

static void show_progress(struct run *run)
{
    const struct seats *seats = &run->seats;
    uint64_t answered = run->result->ledger.count[OUTCOME_ANSWERED];
    uint64_t due = pace_count(&seats->pace, seats->now_us);
    fprintf(stderr, "\r%4" PRId64 " s  answered %" PRIu64 "  %" PRIu64 "/s  lost %" PRIu64,
            (seats->now_us - seats->start_us + SECOND_US / 2) / SECOND_US, answered,
            answered - run->progress_answered, ledger_lost(&run->result->ledger));
    if (seats->pace.per_minute > 0 && due > seats->begun)
        fprintf(stderr, "  due and not begun %" PRIu64, due - seats->begun);
    fputs(" \033[K", stderr);
    run->progress_answered = answered;
}

static int wait_ms(const struct run *run)
{
    const struct seats *seats = &run->seats;
    int64_t until = run->progress_us;
    if (seats->now_us < seats->end_us && seats->end_us < until)
        until = seats->end_us;
    int64_t wait = (seats_next_us(seats, until) - seats->now_us + 999) / 1000;
    return wait < 0 ? 0 : (int)wait; /* a second at most */
}

/*
 * In a closed loop every client waits for the server, so a server that shares this CPU goes first:
 * it answers what it has, instead of being interrupted for each answer, and a turn then reads many.
 * In an open loop something may be due before that.
 */
static void let_others_run(const struct run *run)
{
    if (run->seats.pace.per_minute == 0)
        sched_yield();
}

/* Once a second: where all that is known of the server is that it refuses, there is none. */
static void end_unreached(struct run *run)
{
    struct seats *seats = &run->seats;
    bool has_refused = run->result->ledger.count[OUTCOME_REFUSED] > 0;
    if (has_refused && seats->now_us < seats->end_us && !seats_have_connected(seats))
        seats->end_us = seats->now_us;
}

static int turns(struct run *run)
{
    struct seats *seats = &run->seats;
    for (seats_turn(seats); seats_are_busy(seats); seats_turn(seats)) {
        let_others_run(run);
        if (loop_turn(run->loop, wait_ms(run), NULL, NULL) < 0)
            return -1;
        if (seats->now_us < run->progress_us)
            continue;
        run->progress_us += SECOND_US;
        end_unreached(run);
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
    run->seats.now_us = seats_clock_us();
    if (run->seats.now_us < run->seats.end_us)
        run->seats.end_us = run->seats.now_us;
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

/* The turn that follows does what is due. An expiry must be read, or the next one never comes. */
static void ticked(struct loop *loop, int fd, uint32_t events, void *context)
{
    (void)events;
    (void)context;
    uint64_t expiries;
    if (read(fd, &expiries, sizeof expiries) < 0 && errno != EAGAIN)
        loop_delete(loop, fd); /* the turns alone go on then, a second apart at most */
}

static struct timespec timespec_of(int64_t us)
{
    return (struct timespec){.tv_sec = us / SECOND_US, .tv_nsec = us % SECOND_US * 1000};
}

/* Ticks when a request is due, if that is not too often: epoll_wait(2) alone counts milliseconds.
 */
static int start_timer(struct run *run)
{
    const struct pace *pace = &run->seats.pace;
    int64_t gap = pace_gap(pace);
    if (pace->per_minute == 0)
        return 0;
    struct itimerspec when = {
        .it_value = timespec_of(pace->start_us + 1),
        .it_interval = timespec_of(gap > TICK_US ? gap : TICK_US),
    };
    run->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (run->timer_fd < 0 || timerfd_settime(run->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) < 0)
        return -1;
    return loop_add(run->loop, run->timer_fd, EPOLLIN, ticked, run);
}

static int64_t wall_clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

static int begin(struct run *run)
{
    struct seats *seats = &run->seats;
    int64_t now = seats_clock_us();
    run->result->began_us = wall_clock_us();
    seats->now_us = seats->start_us = seats->last_us = now;
    if (__builtin_add_overflow(now, run->limits->duration_us, &seats->end_us))
        seats->end_us = INT64_MAX;
    seats->pace = (struct pace){.per_minute = run->limits->per_minute, .start_us = now};
    run->progress_us = now + SECOND_US;
    return start_timer(run);
}

static int run_open(struct run *run)
{
    run->loop = run->seats.loop = loop_open();
    if (!run->loop || seats_open(&run->seats) < 0)
        return -1;
    return watch_signals(run);
}

static void run_close(struct run *run)
{
    seats_close(&run->seats);
    if (run->timer_fd >= 0)
        close(run->timer_fd);
    if (run->signal_fd >= 0)
        close(run->signal_fd);
    loop_close(run->loop);
}

static int run_total(struct run *run)
{
    struct result *result = run->result;
    const struct seats *seats = &run->seats;
    bool used_up = seats->begun >= seats->requests;
    result->elapsed_us = (used_up ? seats->last_us : seats->end_us) - seats->start_us;
    result->unsent = seats_unsent(seats);
    return windows_end(&result->windows);
}

int run_load(struct job *job, const struct run_limits *limits, struct result *result)
{
    struct run run = {
        .limits = limits,
        .result = result,
        .signal_fd = -1,
        .timer_fd = -1,
        .seats =
            {
                .job = job,
                .result = result,
                .count = limits->clients,
                .requests = limits->requests,
                .timeout_us = limits->timeout_us,
            },
    };
    int done = run_open(&run);
    if (done == 0)
        done = begin(&run);
    if (done == 0)
        done = turns(&run);
    if (done == 0)
        done = run_total(&run);
    if (limits->progress)
        fputs("\r\033[K", stderr);
    int saved = errno;
    run_close(&run);
    errno = saved;
    return done;
}
