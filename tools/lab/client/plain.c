#include "lab/client/plain.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* So many looks at the clock in the time that it has patience. */
#define TICKS       8
#define TICK_MIN_US 1000

/* One connection, and what is under way on it. */
struct talk {
    struct score_call call;
    int fd;
    int64_t give_up_us;
};

static void on_tick(int signal)
{
    (void)signal; /* to interrupt is all it has to do */
}

static int set_ticks(int64_t us)
{
    struct sigaction action = {.sa_handler = on_tick}; /* no SA_RESTART */
    struct timeval every = {.tv_sec = us / 1000000, .tv_usec = us % 1000000};
    struct itimerval timer = {.it_interval = every, .it_value = every};
    if (sigaction(SIGALRM, &action, NULL) < 0)
        return -1;
    return setitimer(ITIMER_REAL, &timer, NULL);
}

static int start_ticks(const struct load *load)
{
    int64_t tick = load->plan->patience_us / TICKS;
    if (set_ticks(tick < TICK_MIN_US ? TICK_MIN_US : tick) < 0)
        return load_fail(load, "setting its timer");
    return 0;
}

/* A call has failed: whether it is to be tried again. */
static bool is_only_a_tick(const struct talk *talk)
{
    return errno == EINTR && clock_us() < talk->give_up_us;
}

static enum outcome cause(const struct talk *talk)
{
    return errno == EINTR ? OUTCOME_SILENT : score_cause(&talk->call, errno);
}

static enum outcome dial(struct load *load, struct talk *talk)
{
    while (dial_connect(&load->dial, talk->fd) < 0)
        if (!is_only_a_tick(talk))
            return cause(talk);
    talk->call.is_connected = true;
    return OUTCOME_ANSWERED;
}

static enum outcome ask(struct talk *talk, struct span text)
{
    /* The first bytes of a request find room at once: it goes whole or not at all. */
    while (text.n > 0 && send(talk->fd, text.p, text.n, MSG_NOSIGNAL) < 0)
        if (!is_only_a_tick(talk))
            return cause(talk);
    return OUTCOME_ANSWERED;
}

static enum outcome listen_to(struct talk *talk)
{
    struct score_call *call = &talk->call;
    while (call->got < sizeof call->answer) {
        size_t left = sizeof call->answer - call->got;
        ssize_t n = recv(talk->fd, call->answer + call->got, left, 0);
        if (n == 0)
            return score_cause(call, 0);
        if (n < 0 && !is_only_a_tick(talk))
            return cause(talk);
        call->got += n > 0 ? (size_t)n : 0;
    }
    return OUTCOME_ANSWERED;
}

static enum outcome exchange(struct load *load, struct talk *talk, bool is_last)
{
    enum outcome outcome = ask(talk, load_request(load, is_last));
    return outcome == OUTCOME_ANSWERED ? listen_to(talk) : outcome;
}

static int open_talk(struct load *load, struct talk *talk, int fd, int64_t due_us, int64_t now_us)
{
    *talk = (struct talk){.call = {.begun_us = due_us, .due_us = due_us},
                          .fd = fd,
                          .give_up_us = now_us + load->plan->patience_us};
    return talk->fd < 0 ? load_fail(load, "opening a socket") : 0;
}

int plain_open_idle(struct load *load)
{
    struct talk talk;
    int64_t now = clock_us();
    if (start_ticks(load) < 0 || open_talk(load, &talk, dial_socket(&load->dial, 0), now, now) < 0)
        return -1;
    enum outcome outcome = dial(load, &talk);
    if (outcome == OUTCOME_ANSWERED)
        outcome = exchange(load, &talk, false);
    set_ticks(0); /* cannot fail, as it was set */
    if (outcome == OUTCOME_ANSWERED)
        return talk.fd;
    errno = ECONNABORTED;
    load_fail(load, "opening its idle connections: %s", outcome_name(outcome));
    close(talk.fd);
    return -1;
}

/* All requests of a connection; the clock is read once an answer. False: it was lost. */
static bool talk_through(struct load *load, struct talk *talk)
{
    unsigned left = load_draw(load);
    enum outcome outcome = dial(load, talk);
    if (outcome == OUTCOME_ANSWERED)
        load->score.result->connections++;
    for (; left > 0 && outcome == OUTCOME_ANSWERED; left--) {
        outcome = exchange(load, talk, left == 1);
        if (outcome != OUTCOME_ANSWERED)
            break;
        int64_t now = clock_us();
        score_answer(&load->score, &talk->call, now);
        talk->call.due_us = now;
        talk->give_up_us = now + load->plan->patience_us;
    }
    if (outcome != OUTCOME_ANSWERED)
        score_loss(&load->score, outcome);
    return outcome == OUTCOME_ANSWERED;
}

static int64_t cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* What the caller wants done before a connection is not the client's work. */
static void do_before(const struct load *load)
{
    int64_t begun = cpu_us();
    load->plan->before(load->plan->context);
    load->score.result->cpu_us -= (uint64_t)(cpu_us() - begun);
}

/* Returns what the time is then. */
static int64_t sleep_until(int64_t us)
{
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
    return clock_us();
}

/* False: there is none any more, or what is due waits longer than it has patience. */
static bool begin_next(struct load *load, int64_t *due, int64_t *now)
{
    *now = clock_us();
    *due = load_due(load, *now);
    if (*due == CLOCK_NEVER || *now > load->end_us + load->plan->patience_us)
        return false;
    if (*due > *now)
        *now = sleep_until(*due);
    if (load->plan->before) {
        do_before(load);
        *now = *due = clock_us();
    }
    load->begun++;
    return true;
}

int plain_run(struct load *load)
{
    int64_t due, now;
    if (start_ticks(load) < 0)
        return -1;
    load_start(load, clock_us());
    while (begin_next(load, &due, &now)) {
        struct talk talk;
        if (open_talk(load, &talk, dial_take(&load->dial), due, now) < 0)
            return -1;
        if (talk_through(load, &talk))
            dial_put_back(&load->dial, talk.fd);
        else
            dial_hang_up(talk.fd);
    }
    load_give_up(load);
    return 0;
}
