#include "worker/standby.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "os/pass.h"
#include "os/twin.h"
#include "worker/self.h"

/* ------------------------------------------------------------------------------ the sleeping */

static _Noreturn void leave(void)
{
    _exit(0); /* what the worker has set up for its own end is not this one's */
}

/*
 * Sleeps until there is an order, and leaves it where it is: what comes with it is to be received
 * into a table that the worker has no part in, if that one hangs.
 */
static struct standby_order wait_for_order(const struct worker *w)
{
    struct pollfd one = {.fd = w->job->standby, .events = POLLIN};
    struct standby_order order;
    for (;;) {
        if (poll(&one, 1, -1) < 0 && errno != EINTR)
            leave();
        ssize_t n = recv(w->job->standby, &order, sizeof order, MSG_PEEK);
        if (n == (ssize_t)sizeof order)
            return order;
        if (n >= 0 || (errno != EAGAIN && errno != EINTR))
            leave(); /* the master does not want it any more, or is gone */
    }
}

/* What it is about, from the order on to the fork. */
struct passage {
    struct standby_order order;
    struct desk *desk; /* that is taken from */
    uint32_t round;    /* of it */
    bool is_parted;    /* the table is the standby's own by now */
};

static bool is_row(int row)
{
    return row >= 0 && row < BOARD_ROWS;
}

/* Takes what lies on the desk. Returns 0 or an errno, and then nothing was taken. */
static int take(const struct worker *w, struct passage *passage)
{
    const struct standby_order *order = &passage->order;
    if (!is_row(order->from) || !is_row(order->row) || order->from == order->row)
        return EINVAL;
    struct desk *desk = &w->job->desks->of[order->from];
    passage->round = desk_round(desk);
    /* One that was given back, and has ended before it saw that: what was taken still is. */
    if (!desk_step_in(desk, passage->round, TENURE_OWN, TENURE_PASSING) &&
        (order->is_hung || !desk_step_in(desk, passage->round, TENURE_RETURNED, TENURE_PASSING)))
        return EALREADY;
    desk_take(desk);
    passage->desk = desk;
    return 0;
}

static void give_back(const struct passage *passage)
{
    if (passage->desk)
        desk_step_in(passage->desk, passage->round, TENURE_PASSING, TENURE_RETURNED);
}

/* One descriptor is kept free for what comes with an order: the worker may have used up all that
 * there can be. */
static void take_spare(struct worker *w)
{
    w->spare = pristine_copy(&w->pristine, w->job->standby);
    if (w->spare < 0 || fds_add(&w->pristine.open, w->spare) == 0)
        return;
    close(w->spare);
    w->spare = -1;
}

static void give_spare(struct worker *w)
{
    if (w->spare < 0)
        return;
    fds_remove(&w->pristine.open, w->spare);
    close(w->spare);
    w->spare = -1;
}

/* The end of the successor's channel, that the order has brought; -1 with errno set. */
static int receive_end(const struct worker *w)
{
    struct standby_order order;
    int end;
    size_t count = 1;
    ssize_t n = pass_receive(w->job->standby, &order, sizeof order, &end, &count);
    if (n >= 0 && count == 0)
        errno = EBADMSG;
    return n >= 0 && count == 1 ? end : -1;
}

/* It gets the number of the channel before. Returns 0 or an errno. */
static int put_channel(const struct worker *w, int end)
{
    loop_drop(w->loop, w->job->channel); /* ENOENT, EBADF: it was not watched, or closed */
    return dup3(end, w->job->channel, O_CLOEXEC) < 0 ? errno : 0;
}

/* For a connection each, beside what is open now: one that sends a file has two, but not all do at
 * once. No more than a desk has a place for, since all of it is the kernel's memory at once. Where
 * it fails, or is not enough, the worker waits for a moment when its table is full. */
static void reserve(const struct worker *w)
{
    int count = w->pristine.open.top + w->job->max_connections;
    (void)twin_reserve(w->job->standby, count < DESK_FDS_MAX ? count : DESK_FDS_MAX);
}

/* A worker that hangs keeps the table for itself; a copy has no more room than it needs. Returns 0
 * or an errno. */
static int part(struct worker *w, struct passage *passage)
{
    if (twin_part() < 0)
        return errno;
    reserve(w);
    passage->is_parted = w->was_parted = true;
    return 0;
}

/* And the epoll set: until there is another at its number, what is done to it is done to the
 * worker's. The copy of the worker's channel goes first: a full table has no room for the new one
 * else. Returns 0 or an errno. */
static int equip(struct worker *w, const struct passage *passage, int end)
{
    if (passage->is_parted)
        close(w->job->channel);
    if (passage->is_parted && loop_renew(w->loop) < 0)
        return errno;
    return put_channel(w, end);
}

/* -------------------------------------------------------------------------------- the making */

/* All up to the fork. What the order has brought is received in any case, and used where there was
 * no failure before: the table and the channel in it may still be the worker's. Returns 0 or an
 * errno. */
static int prepare(struct worker *w, struct passage *passage)
{
    int cause = take(w, passage);
    if (cause == 0 && passage->order.is_hung)
        cause = part(w, passage);
    give_spare(w);
    int end = receive_end(w);
    if (cause == 0)
        cause = end < 0 ? errno : equip(w, passage, end);
    if (end >= 0)
        close(end);
    take_spare(w);
    return cause;
}

/* In the successor, of which the master may not have heard when the standby is killed. It was given
 * up then, unless it comes first. */
static void begin(struct worker *w, const struct passage *passage)
{
    report_send(w->job->channel, REPORT_BORN, getpid(), "");
    if (!desk_step_in(passage->desk, passage->round, TENURE_PASSING, TENURE_PASSED))
        leave();
    w->job->row = &w->job->board->rows[passage->order.row];
    w->job->is_held = passage->order.is_held;
}

/* Returns in the successor, true, and here, false. */
static bool make_successor(struct worker *w, struct passage *passage)
{
    int cause = prepare(w, passage);
    pid_t pid = cause ? -1 : twin_fork();
    if (pid == 0)
        return true;
    if (!cause && pid < 0)
        cause = errno;
    if (cause)
        give_back(passage);
    struct standby_report report = {.pid = cause ? -cause : pid};
    if (pass_send(w->job->standby, &report, sizeof report, NULL, 0) < 0)
        leave();
    if (cause && passage->is_parted)
        leave(); /* this table knows nothing of what the worker opens and closes from here on */
    return false;
}

/* In the standby. Returns in each successor. */
static void sleep_beside(struct worker *w, struct standby_order *order)
{
    sigset_t all, before;
    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, &before) < 0 || child_tie(w->job->master) < 0)
        leave();
    struct passage passage;
    do
        passage = (struct passage){.order = wait_for_order(w)};
    while (!make_successor(w, &passage));
    if (child_tie(w->job->master) < 0 || sigprocmask(SIG_SETMASK, &before, NULL) < 0)
        leave();
    begin(w, &passage);
    prctl(PR_SET_NAME, w->title);
    *order = passage.order;
}

static int make_ready(struct worker *w)
{
    if (pristine_note(&w->pristine) < 0)
        return -1;
    take_spare(w);
    reserve(w);
    return 0;
}

static void go_without(struct worker *w, int cause)
{
    give_spare(w);
    pristine_free(&w->pristine);
    close(w->job->standby);
    w->job->standby = -1;
    w->desk = NULL;
    self_report(w, REPORT_STANDBY, -cause, strerror(cause));
}

bool standby_make(struct worker *w, struct standby_order *order)
{
    /* Its name from its first moment on: nobody is to count one worker more. */
    prctl(PR_SET_NAME, "drover:standby");
    pid_t pid = make_ready(w) < 0 ? -1 : twin_fork();
    int cause = errno;
    if (pid == 0) {
        sleep_beside(w, order);
        return false;
    }
    prctl(PR_SET_NAME, w->title);
    if (pid < 0)
        go_without(w, cause);
    else
        self_report(w, REPORT_STANDBY, pid, "");
    return true;
}
