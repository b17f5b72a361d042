#include "lab/client/crowd.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "load/fifo.h"

/* Events of one wait: enough that a wait costs little for each. */
#define EVENTS_MAX 256

/* One connection at a time. */
struct seat {
    struct score_call call;
    struct fifo_node wait; /* for an answer */
    int fd;                /* -1: free */
    unsigned left;         /* requests, the present one included */
    struct span unsent;    /* of the present request; borrowed from the load */
    int *idle;             /* it is a connection that was held beside, and stays; else NULL */
    struct seat *next;     /* of the free ones */
};

struct crowd {
    struct load *load;
    struct seat *seats; /* owned */
    struct seat *free;
    struct fifo waiting;
    int epoll;
};

static int watch(const struct crowd *crowd, struct seat *seat, int how, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = seat};
    return epoll_ctl(crowd->epoll, how, seat->fd, &event);
}

static void leave(struct crowd *crowd, struct seat *seat)
{
    fifo_remove(&seat->wait);
    dial_hang_up(seat->fd);
    seat->fd = -1;
    if (seat->idle) {
        *seat->idle = -1; /* one of these is no seat for others */
        return;
    }
    seat->next = crowd->free;
    crowd->free = seat;
}

static void note_connected(struct crowd *crowd, struct seat *seat)
{
    if (!seat->call.is_connected && !seat->idle)
        crowd->load->score.result->connections++;
    seat->call.is_connected = true;
}

/* Without a word from the other side only the socket knows whether it ever was connected. */
static void lose(struct crowd *crowd, struct seat *seat, enum outcome outcome)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    if (getpeername(seat->fd, (struct sockaddr *)&peer, &length) == 0)
        note_connected(crowd, seat);
    score_loss(&crowd->load->score, outcome);
    leave(crowd, seat);
}

static void lose_by_error(struct crowd *crowd, struct seat *seat, int error)
{
    lose(crowd, seat, score_cause(&seat->call, error));
}

/* On loopback the first send finds the connection made, which saves a wait. False: it is lost. */
static bool transmit(struct crowd *crowd, struct seat *seat)
{
    ssize_t n = send(seat->fd, seat->unsent.p, seat->unsent.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return true;
    if (n < 0) {
        lose_by_error(crowd, seat, errno);
        return false;
    }
    note_connected(crowd, seat);
    seat->unsent.p += n;
    seat->unsent.n -= (size_t)n;
    return true;
}

/* The next answer is due from then on. False: it is lost. */
static bool ask(struct crowd *crowd, struct seat *seat, int64_t due_us, int64_t now_us)
{
    seat->call.due_us = due_us;
    seat->unsent = load_request(crowd->load, seat->left == 1 && !seat->idle);
    fifo_append(&crowd->waiting, &seat->wait, now_us);
    return seat->unsent.n == 0 || transmit(crowd, seat);
}

static uint32_t events_of(const struct seat *seat)
{
    return seat->unsent.n > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN;
}

/* -1 after load_fail() when this machine has no more sockets for it. */
static int begin(struct crowd *crowd, int64_t due_us, int64_t now_us)
{
    struct load *load = crowd->load;
    struct seat *seat = crowd->free;
    load->begun++;
    int fd = dial_socket(&load->dial, SOCK_NONBLOCK);
    if (fd < 0)
        return load_fail(load, "opening a socket");
    crowd->free = seat->next;
    *seat = (struct seat){.fd = fd, .call.begun_us = due_us, .left = load_draw(load)};
    if (dial_connect(&load->dial, fd) < 0 && errno != EINPROGRESS) {
        lose_by_error(crowd, seat, errno);
        return 0;
    }
    if (ask(crowd, seat, due_us, now_us) && watch(crowd, seat, EPOLL_CTL_ADD, events_of(seat)) < 0)
        return load_fail(load, "watching a socket");
    return 0;
}

static int begin_due(struct crowd *crowd)
{
    int64_t now = clock_us(), due;
    while (crowd->free && (due = load_due(crowd->load, now)) <= now) {
        if (begin(crowd, due, now) < 0)
            return -1;
        now = clock_us();
    }
    return 0;
}

static void over(struct crowd *crowd, struct seat *seat, int64_t now_us)
{
    fifo_remove(&seat->wait);
    score_answer(&crowd->load->score, &seat->call, now_us);
    seat->left--;
    if (seat->left == 0 && seat->idle) /* nothing is due on it any more, nor is its end a loss */
        watch(crowd, seat, EPOLL_CTL_DEL, 0); /* cannot fail, as it was added */
    else if (seat->left == 0)
        leave(crowd, seat);
    else if (ask(crowd, seat, now_us, now_us) && seat->unsent.n > 0 &&
             watch(crowd, seat, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT) < 0)
        lose_by_error(crowd, seat, errno);
}

static void receive(struct crowd *crowd, struct seat *seat)
{
    struct score_call *call = &seat->call;
    size_t left = sizeof call->answer - call->got;
    ssize_t n = recv(seat->fd, call->answer + call->got, left, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        lose_by_error(crowd, seat, n < 0 ? errno : 0);
        return;
    }
    note_connected(crowd, seat);
    call->got += (size_t)n;
    if (call->got == sizeof call->answer)
        over(crowd, seat, clock_us());
}

static void step(struct crowd *crowd, struct seat *seat, uint32_t events)
{
    bool is_sending = seat->unsent.n > 0;
    if (is_sending && (events & EPOLLOUT) && !transmit(crowd, seat))
        return;
    if (is_sending && seat->unsent.n == 0 && watch(crowd, seat, EPOLL_CTL_MOD, EPOLLIN) < 0)
        lose_by_error(crowd, seat, errno);
    else if (events & ~(uint32_t)EPOLLOUT)
        receive(crowd, seat);
}

static void give_up_silent(struct crowd *crowd, int64_t now_us)
{
    struct fifo_node *node;
    int64_t before = now_us - crowd->load->plan->patience_us;
    while ((node = fifo_first_since(&crowd->waiting, before)))
        lose(crowd, FIFO_OWNER(node, struct seat, wait), OUTCOME_SILENT);
}

/* The next moment at which something is to be done; CLOCK_NEVER: it is all over. */
static int64_t next_moment(const struct crowd *crowd, int64_t now_us)
{
    const struct load *load = crowd->load;
    const struct fifo_node *oldest = fifo_first(&crowd->waiting);
    int64_t due = load_due(load, now_us);
    int64_t silent = oldest ? oldest->since_us + load->plan->patience_us : CLOCK_NEVER;
    if (due != CLOCK_NEVER && !crowd->free) /* it waits for a seat, and not for ever */
        due = load->end_us + load->plan->patience_us;
    return clock_sooner(due, silent);
}

static int wait_until(struct crowd *crowd, int64_t moment_us, int64_t now_us)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t left = moment_us > now_us ? moment_us - now_us : 0;
    struct timespec t = {.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};
    int n = epoll_pwait2(crowd->epoll, events, EVENTS_MAX, &t, NULL);
    if (n < 0 && errno != EINTR)
        return load_fail(crowd->load, "waiting for answers");
    for (int i = 0; i < n; i++)
        step(crowd, events[i].data.ptr, events[i].events);
    return 0;
}

static int run(struct crowd *crowd)
{
    const struct load *load = crowd->load;
    for (;;) {
        if (begin_due(crowd) < 0)
            return -1;
        int64_t now = clock_us(), moment = next_moment(crowd, now);
        if (moment == CLOCK_NEVER || now > load->end_us + load->plan->patience_us)
            break;
        if (wait_until(crowd, moment, now) < 0)
            return -1;
        give_up_silent(crowd, clock_us());
    }
    give_up_silent(crowd, CLOCK_NEVER - 1); /* all that wait still */
    load_give_up(load);
    return 0;
}

static int start_burst(struct crowd *crowd, int *idle, unsigned count)
{
    int64_t now = clock_us();
    struct seat *seat = crowd->seats + crowd->load->plan->seats;
    for (unsigned i = 0; i < count; i++, seat++) {
        *seat = (struct seat){.fd = idle[i],
                              .idle = idle + i,
                              .left = 1,
                              .call = {.is_connected = true, .is_kept = true}};
        if (watch(crowd, seat, EPOLL_CTL_ADD, EPOLLIN) < 0)
            return load_fail(crowd->load, "watching its idle connections");
    }
    for (unsigned i = 0; i < count; i++)
        ask(crowd, crowd->seats + crowd->load->plan->seats + i, now, now);
    return 0;
}

static int open_crowd(struct crowd *crowd, unsigned burst)
{
    unsigned seats = crowd->load->plan->seats;
    fifo_init(&crowd->waiting);
    /* What is due would else be done up to 50 us late (PR_SET_TIMERSLACK(2const)). */
    if (prctl(PR_SET_TIMERSLACK, 1UL) < 0)
        return load_fail(crowd->load, "setting its timer slack");
    crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
    crowd->seats = calloc(seats + burst + 1, sizeof *crowd->seats);
    if (crowd->epoll < 0 || !crowd->seats)
        return load_fail(crowd->load, "making seats for its connections");
    for (unsigned i = seats; i > 0; i--) {
        crowd->seats[i - 1].fd = -1;
        crowd->seats[i - 1].next = crowd->free;
        crowd->free = &crowd->seats[i - 1];
    }
    return 0;
}

int crowd_run(struct load *load, int *idle, unsigned idle_count)
{
    struct crowd crowd = {.load = load, .epoll = -1};
    unsigned burst = load->plan->is_burst ? idle_count : 0;
    int result = open_crowd(&crowd, burst);
    load_start(load, clock_us());
    if (result == 0)
        result = start_burst(&crowd, idle, burst);
    if (result == 0)
        result = run(&crowd);
    free(crowd.seats); /* what is open in a run that failed ends with the process */
    if (crowd.epoll >= 0)
        close(crowd.epoll);
    return result;
}
