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

static bool is_row(int row)
{
    return row >= 0 && row < BOARD_ROWS;
}

static struct desk *desk_of(const struct worker *w, const struct standby_order *order)
{
    return &w->job->desks->of[order->from];
}

/* Takes what lies on the desk. Returns 0 or an errno, and then nothing was taken. */
static int take(const struct worker *w, const struct standby_order *order)
{
    if (!is_row(order->from) || !is_row(order->row) || order->from == order->row)
        return EINVAL;
    struct desk *desk = desk_of(w, order);
    /* One that was given back, and has ended before it saw that: nobody else takes it now. */
    if (!desk_step(desk, TENURE_OWN, TENURE_PASSING) &&
        (order->is_hung || !desk_step(desk, TENURE_RETURNED, TENURE_PASSING)))
        return EALREADY;
    desk_take(desk);
    return 0;
}

/* One descriptor is kept free for what comes with an order: the worker may have used up all that
 * there can be. */
static void take_spare(struct worker *w)
{
    w->spare = fcntl(w->job->standby, F_DUPFD_CLOEXEC, 0);
    if (w->spare < 0 || (fds_add(&w->pristine, w->spare) == 0 && fds_add(&w->own, w->spare) == 0))
        return;
    close(w->spare);
    w->spare = -1;
}

static void give_spare(struct worker *w)
{
    if (w->spare < 0)
        return;
    fds_remove(&w->pristine, w->spare);
    fds_remove(&w->own, w->spare);
    close(w->spare);
    w->spare = -1;
}

/* The successor's channel, whose end the order has brought, gets the number of the one before.
 * Returns 0 or an errno. */
static int receive_channel(const struct worker *w)
{
    struct standby_order order;
    int end;
    size_t count = 1;
    ssize_t n = pass_receive(w->job->standby, &order, sizeof order, &end, &count);
    if (n < 0)
        return errno;
    if (count == 0)
        return EBADMSG;
    loop_drop(w->loop, w->job->channel); /* ENOENT, EBADF: it was not watched, or closed */
    int cause = dup3(end, w->job->channel, O_CLOEXEC) < 0 ? errno : 0;
    close(end);
    return cause;
}

/* The worker that hangs keeps the table for itself, and the epoll set. */
static int part(void)
{
    return twin_part() < 0 ? errno : 0;
}

static int renew(struct worker *w)
{
    return loop_renew(w->loop) < 0 ? errno : 0;
}

/* -------------------------------------------------------------------------------- the making */

/* All up to the fork. Returns 0 or an errno. */
static int prepare(struct worker *w, const struct standby_order *order, bool *is_parted)
{
    int cause = take(w, order);
    bool is_taken = cause == 0;
    if (cause == 0 && order->is_hung) {
        cause = part();
        *is_parted = cause == 0;
    }
    give_spare(w);
    int missing = receive_channel(w);
    if (cause == 0)
        cause = missing;
    if (cause == 0 && order->is_hung)
        cause = renew(w);
    take_spare(w);
    if (cause && is_taken)
        desk_step(desk_of(w, order), TENURE_PASSING, TENURE_RETURNED);
    return cause;
}

/* In the successor, of which the master may not have heard when the standby is killed. Its desk was
 * given back then, or is now: to one of both only. */
static void begin(struct worker *w, const struct standby_order *order)
{
    report_send(w->job->channel, REPORT_BORN, getpid(), "");
    if (!desk_step(desk_of(w, order), TENURE_PASSING, TENURE_PASSED))
        leave();
    w->job->row = &w->job->board->rows[order->row];
    w->job->is_held = order->is_held;
}

/* Returns in the successor, true, and here, false. */
static bool make_successor(struct worker *w, const struct standby_order *order)
{
    bool is_parted = false;
    int cause = prepare(w, order, &is_parted);
    pid_t pid = cause ? -1 : twin_fork();
    if (pid == 0)
        return true;
    if (!cause && pid < 0) {
        cause = errno;
        desk_step(desk_of(w, order), TENURE_PASSING, TENURE_RETURNED);
    }
    struct standby_report report = {.pid = cause ? -cause : pid};
    if (pass_send(w->job->standby, &report, sizeof report, NULL, 0) < 0)
        leave();
    if (cause && is_parted)
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
    do
        *order = wait_for_order(w);
    while (!make_successor(w, order));
    if (child_tie(w->job->master) < 0 || sigprocmask(SIG_SETMASK, &before, NULL) < 0)
        leave();
    begin(w, order);
    prctl(PR_SET_NAME, w->title);
}

static int note_what_is_open(struct worker *w)
{
    const int own[] = {loop_fd(w->loop), w->signals, w->job->channel, w->job->standby};
    if (fds_open_now(&w->pristine) < 0)
        return -1;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (fds_add(&w->own, own[i]) < 0)
            return -1;
    take_spare(w);
    return 0;
}

static void go_without(struct worker *w, int cause)
{
    give_spare(w);
    close(w->job->standby);
    w->job->standby = -1;
    w->desk = NULL;
    self_report(w, REPORT_STANDBY, 0, strerror(cause));
}

bool standby_make(struct worker *w, struct standby_order *order)
{
    /* Its name from its first moment on: nobody is to count one worker more. */
    prctl(PR_SET_NAME, "drover:standby");
    pid_t pid = note_what_is_open(w) < 0 ? -1 : twin_fork();
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
