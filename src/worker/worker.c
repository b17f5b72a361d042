#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "os/sigfd.h"
#include "os/twin.h"
#include "worker/account.h"
#include "worker/logging.h"
#include "worker/orders.h"
#include "worker/self.h"
#include "worker/shed.h"
#include "worker/standby.h"
#include "worker/successor.h"
#include "worker/tenure.h"

/* ------------------------------------------------------------------------- the connections */

static void take_accepted(void *context, int fd, int door)
{
    struct worker *w = context;
    w->services.turn++; /* its client may have come after something was looked at in this turn */
    orders_hear(w); /* and behind the end of a reload, which is another worker's to answer then */
    conns_start(&w->conns, fd, doors_is_proxied(w->job->doors, door));
}

static void take_handed(void *context, int fd, const struct handover *what)
{
    struct worker *w = context;
    acceptor_charge(&w->acceptor);
    conns_take(&w->conns, fd, what);
}

static bool has_room_for_handed(void *context)
{
    const struct worker *w = context;
    return conns_have_room(&w->conns, w->job->doors, w->job->max_connections);
}

static void on_conn_end(void *context)
{
    struct worker *w = context;
    w->acceptor.room++;
}

static void on_pause(void *context, bool is_paused)
{
    const struct worker *w = context;
    board_set(&w->job->row->is_paused, is_paused);
}

/* ------------------------------------------------------------------------ what is said to it */

static void on_channel(struct loop *loop, int fd, uint32_t events, void *context)
{
    (void)loop;
    (void)fd;
    (void)events;
    orders_read(context);
}

static void on_signal(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct worker *w = context;
    (void)loop;
    (void)events;
    /* Only the master knows whether others go on: whether this is a leave or a stop. */
    while (sigfd_read(fd) > 0)
        self_report(w, REPORT_LEAVING, 0, "was told to leave by a signal");
}

/* ------------------------------------------------------------------------------- the start */

static int take_identity(struct worker *w)
{
    const struct child_identity *identity = w->job->identity;
    char name[32];
    snprintf(name, sizeof name, "worker %d", w->job->slot);
    snprintf(w->title, sizeof w->title, "drover:slot %d", w->job->slot);
    if (w->job->role) {
        snprintf(name, sizeof name, "%s", w->job->role);
        snprintf(w->title, sizeof w->title, "drover:%s", w->job->role);
    }
    log_set_name(name);
    if (child_become(identity) < 0)
        return report_failed(w->job->channel, EX_NOPERM, "cannot become user %s: %s",
                             identity->name, strerror(errno));
    if (child_tie(w->job->master) < 0 || prctl(PR_SET_NAME, w->title) < 0)
        return report_failed(w->job->channel, EX_OSERR, "prctl: %s", strerror(errno));
    return 0;
}

static int open_loop(struct worker *w)
{
    static const int signals[] = {SIGTERM, SIGQUIT, 0};
    w->signals = sigfd_open(signals);
    w->loop = loop_open();
    return w->signals < 0 || !w->loop ? -1 : 0;
}

static int watch_master(struct worker *w)
{
    if (loop_add(w->loop, w->signals, EPOLLIN, on_signal, w) < 0)
        return -1;
    return loop_add(w->loop, w->job->channel, EPOLLIN, on_channel, w);
}

/* A hang in the first moment after a quiet time is to be seen like any other. */
static void wake_master(struct worker *w)
{
    if (!__atomic_load_n(&w->job->board->is_quiet, __ATOMIC_RELAXED) || w->env.now < w->awake_until)
        return;
    w->awake_until = w->env.now + PULSE_MS;
    self_report(w, REPORT_AWAKE, 0, "");
}

static void woken(void *context)
{
    struct worker *w = context;
    int64_t then = w->env.now;
    w->env.now_us = clock_us();
    w->env.now = w->env.now_us / CLOCK_US_PER_MS;
    w->services.now = w->env.now;
    w->services.turn++;
    board_set(&w->job->row->busy_since, (uint64_t)w->env.now);
    if (w->env.now != then)
        exchange_tick(&w->env.exchanges, clock_date());
    wake_master(w);
    orders_hear(w);
}

static void on_strand(void *context)
{
    self_report(context, REPORT_STRANDED, 0, "");
}

static int open_env(struct worker *w)
{
    const struct worker_job *job = w->job;
    if (conn_env_open(&w->env, job->sites->apps[0].app, &w->services, job->row) < 0)
        return -1;
    logging_open(&w->access, &w->env, job);
    memcpy(w->env.deadlines.length, job->timeouts, sizeof job->timeouts);
    w->env.exchanges.forwarded = job->forwarded;
    w->env.exchanges.body_max = job->max_body;
    w->env.served_max = job->connection_requests;
    if (!w->desk)
        return 0;
    w->env.pristine = &w->pristine;
    ptrdiff_t row = job->row - job->board->rows;
    return conn_env_put_desk(&w->env, w->desk,
                             job->desks->clients ? job->desks->clients[row] : NULL);
}

static void before_call(void *context)
{
    conn_before_call(context);
}

static int open_services(struct worker *w)
{
    const struct worker_job *job = w->job;
    w->services = (struct drover_worker){.loop = w->loop,
                                         .app = job->sites->apps[0].app,
                                         .board = job->board,
                                         .row = job->row,
                                         .before_call = before_call,
                                         .before_context = &w->env};
    w->has_services = services_open(&w->services) == 0;
    return w->has_services ? sites_open(job->sites, &w->services, &w->env.exchanges) : -1;
}

static void on_shed(void *context, int fd)
{
    struct worker *w = context;
    if (w->env.exchanges.app->stream)
        return;
    size_t page;
    size_t sent = shed_send(fd, &w->env.out, w->env.exchanges.date, &page);
    if (w->env.access)
        access_shed(w->env.access, &w->env, fd, sent, page);
}

static void open_spent(struct worker *w)
{
    const struct worker_job *job = w->job;
    uint64_t random;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
        random = (uint64_t)getpid(); /* at boot there may be none yet */
    w->requests_before = job->row->requests;
    spent_open(&w->spent, job->max_requests, job->max_rss, random);
}

static void open_doors(struct worker *w)
{
    const struct worker_job *job = w->job;
    acceptor_init(&w->acceptor, w->loop, job->doors, job->max_connections, take_accepted, w);
    inbox_init(&w->inbox, w->loop, job->doors, has_room_for_handed, take_handed, w);
    w->acceptor.on_strand = on_strand;
    w->acceptor.on_shed = on_shed;
    w->acceptor.on_pause = on_pause;
    on_pause(w, false); /* whoever had the row before may have been */
    w->is_held = job->is_held;
    orders_adopt(w, job->slot);
    orders_rearm(w);
}

/* From here on it may be another process that goes on: a successor, and *order is what it was told.
 * The standby that it has is the one that has made it. */
static bool open_standby(struct worker *w, struct standby_order *order)
{
    const struct worker_job *job = w->job;
    if (job->standby < 0 || !job->desks || !job->desks->of)
        return false;
    bool is_successor = !standby_make(w, order);
    if (job->standby >= 0)
        tenure_begin(w);
    if (is_successor)
        successor_sweep(w, order);
    return is_successor;
}

/* What was left to it, when all is open. */
static int resume(struct worker *w, const struct standby_order *order)
{
    w->env.is_twinned = w->was_parted;
    int count = successor_resume(w, order);
    conns_flush(&w->conns);
    return count;
}

static int start(struct worker *w)
{
    const struct worker_job *job = w->job;
    struct standby_order order;
    char why[DROVER_WHY_SIZE];
    int status = take_identity(w);
    if (status)
        return status;
    if (open_loop(w) < 0)
        return report_failed(w->job->channel, EX_OSERR, "%s", strerror(errno));
    bool is_successor = open_standby(w, &order);
    if (job->needs_standby && job->standby < 0)
        return report_failed(job->channel, EX_TEMPFAIL, "it has no standby");
    if (watch_master(w) < 0 || open_env(w) < 0 || open_services(w) < 0 ||
        conns_open(&w->conns, w->loop, &w->env, job->yield_from, on_conn_end, w) < 0)
        return report_failed(w->job->channel, EX_OSERR, "%s", strerror(errno));
    woken(w);
    status = sites_start(&w->env.exchanges, why, sizeof why);
    if (status)
        return report_failed(w->job->channel, status, "%s", why);
    open_doors(w);
    open_spent(w);
    preempt_open(&w->preempt, job->preemption, w->env.now);
    board_set(&job->row->busy_since, 0); /* the start has a time of its own */
    if (!job->role)                      /* else its row is not the board's */
        w->seat = &job->board->workers_of[job->row - job->board->rows];
    self_report(w, REPORT_READY, is_successor ? resume(w, &order) : 0, "");
    return 0;
}

static int64_t next_deadline(const struct worker *w)
{
    int64_t next = deadlines_next(&w->env.deadlines);
    next = clock_sooner(next, acceptor_next(&w->acceptor));
    next = clock_sooner(next, inbox_next(&w->inbox));
    next = clock_sooner(next, conns_next(&w->conns));
    if (w->env.access)
        next = clock_sooner(next, access_next(w->env.access));
    next = clock_sooner(next, timers_next(&w->services.timers));
    if (!w->is_spent && !w->is_leaving)
        next = clock_sooner(next, spent_next(&w->spent));
    if (w->env.woken_count > 0)
        next = w->env.now;
    return w->is_leaving ? clock_sooner(next, w->leave_by) : next;
}

static bool is_done(const struct worker *w)
{
    return w->is_leaving && w->conns.count == 0 && !w->acceptor.is_open;
}

/* Once; the master has to start another first. */
static void tell_if_spent(struct worker *w)
{
    char why[128];
    uint64_t requests = w->job->row->requests - w->requests_before;
    if (w->is_spent || w->is_leaving || !spent_can_be(&w->spent) ||
        !spent_look(&w->spent, requests, w->env.now, why, sizeof why))
        return;
    w->is_spent = self_report(w, REPORT_SPENT, 0, why) == 0;
}

/* Once: until then what rests is its standby's to save. */
static void tell_if_given(struct worker *w)
{
    if (w->is_leaving && !w->has_given && w->desk && conns_next(&w->conns) == CLOCK_NEVER)
        w->has_given = self_report(w, REPORT_GIVEN, 0, "") == 0;
}

static void end_at_deadline(struct worker *w)
{
    if (!w->is_leaving || w->leave_by > w->env.now)
        return;
    self_report(w, REPORT_CUT, w->conns.count, "");
    acceptor_leave(&w->acceptor);
    conns_end_all(&w->conns);
}

/* After a hang the file may be another one, which is heard of first. */
static void write_log(struct worker *w)
{
    struct access *access = w->env.access;
    if (w->env.now - access_next(access) > REOPEN_WAIT_MS / 2)
        orders_read(w);
    access_tick(access, w->env.now);
}

/* Most turns come before anything is. */
static void do_what_is_due(struct worker *w)
{
    timers_run(&w->services.timers, w->env.now);
    conns_expire(&w->conns);
    conns_tick(&w->conns);
    if (w->env.access)
        write_log(w);
    end_at_deadline(w);
}

/* Of a turn that began when epoll_wait(2) had slept, or might have. */
static void count_wakeup(const struct worker *w, int events, int64_t next)
{
    bool is_in_vain = events == 0 ? w->env.now < next : events == w->acceptor.in_vain;
    account_wakeup(w->job->row, is_in_vain);
}

static int serve(struct worker *w)
{
    while (!w->is_orphan && !is_done(w)) {
        int64_t next = next_deadline(w);
        int wait = clock_until(next, w->env.now);
        w->acceptor.in_vain = 0;
        board_set(&w->job->row->busy_since, 0);
        int events = loop_turn(w->loop, wait, woken, w);
        if (events < 0) {
            log_fatal("epoll_wait");
            return EX_OSERR;
        }
        if (!tenure_look(w))
            return EX_OSERR;
        if (wait != 0)
            count_wakeup(w, events, next);
        conns_flush(&w->conns);
        conns_wake(&w->conns);
        if (w->env.now >= next)
            do_what_is_due(w);
        inbox_tick(&w->inbox, w->env.now);
        acceptor_tick(&w->acceptor, w->env.now);
        if (account_is_due(&w->env.turn))
            account_turn_end(&w->env, clock_us());
        tell_if_spent(w);
        tell_if_given(w);
        if (preempt_is_due(&w->preempt, w->env.now))
            preempt_look(&w->preempt, w->env.now);
    }
    conns_end_all(&w->conns);
    if (w->env.access)
        access_flush(w->env.access, w->env.now);
    return 0;
}

int worker_run(struct worker_job *job)
{
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        return EX_OSERR;
    w->job = job;
    w->signals = w->spare = -1;
    w->spent.statm = -1;
    w->preempt.schedstat = -1;
    int status = start(w);
    if (status == 0) {
        status = serve(w);
        sites_stop(&w->env.exchanges);
    }
    if (w->desk)
        twin_part(); /* what is closed from here on stays open in the standby */
    acceptor_free(&w->acceptor);
    spent_close(&w->spent);
    preempt_close(&w->preempt);
    conn_env_free(&w->env);
    sites_close(&w->env.exchanges);
    if (w->has_services)
        services_close(&w->services);
    loop_close(w->loop);
    if (w->signals >= 0)
        close(w->signals);
    conns_close(&w->conns);
    pristine_free(&w->pristine);
    fds_free(&w->resumed);
    free(w);
    return status;
}
