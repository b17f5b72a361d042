#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "os/loop.h"
#include "os/pass.h"
#include "os/sigfd.h"
#include "worker/acceptor.h"
#include "worker/conn.h"
#include "worker/order.h"
#include "worker/shed.h"

struct worker {
    const struct worker_job *job;
    struct loop *loop;
    int signals; /* signalfd */
    struct acceptor acceptor;
    bool is_leaving;
    int64_t leave_by; /* the drain's deadline */
    bool is_orphan;   /* the master is gone */
    int connections;
    struct conn *conns; /* by descriptor number; untouched pages cost nothing */
    size_t conn_room;
    struct conn_env env;
    struct drover_worker services; /* for the application */
    bool has_services;
};

/* ------------------------------------------------------------------------- the connections */

static void on_conn(struct loop *loop, int fd, uint32_t events, void *context);

static void end_conn(struct worker *w, struct conn *conn)
{
    if (conn->armed)
        loop_delete(w->loop, conn->fd);
    conn_close(conn, &w->env);
    w->connections--;
    w->acceptor.room++;
}

/* Waits for what the connection wants, or ends it. */
static void settle_conn(struct worker *w, struct conn *conn, enum conn_want want)
{
    static const uint32_t events_of[] = {[CONN_WANT_READ] = EPOLLIN,
                                         [CONN_WANT_WRITE] = EPOLLOUT,
                                         [CONN_WANT_WAKE] = 0, /* errors and hang-ups alone */
                                         [CONN_WANT_CLOSE] = 0};
    uint32_t events = events_of[want];
    uint8_t armed = (uint8_t)(want + 1);
    if (want == CONN_WANT_CLOSE) {
        end_conn(w, conn);
        return;
    }
    if (conn->armed == armed)
        return;
    int result = conn->armed ? loop_change(w->loop, conn->fd, events)
                             : loop_add(w->loop, conn->fd, events, on_conn, w);
    if (result < 0) {
        log_warn("cannot wait for a connection");
        end_conn(w, conn);
        return;
    }
    conn->armed = armed;
}

static void on_conn(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct worker *w = context;
    struct conn *conn = &w->conns[fd];
    (void)loop;
    (void)events; /* errors and hang-ups show when it reads or writes */
    settle_conn(w, conn, conn_step(conn, &w->env));
}

static void start_conn(void *context, int fd, int door)
{
    struct worker *w = context;
    struct conn *conn = &w->conns[fd];
    if ((size_t)fd >= w->conn_room) { /* the limit of descriptors was raised since */
        close(fd);
        w->acceptor.room++;
        return;
    }
    conn_open(conn, &w->env, fd, doors_is_proxied(w->job->doors, door));
    w->connections++;
    settle_conn(w, conn, conn_step(conn, &w->env));
}

static void expire_conns(struct worker *w)
{
    enum deadline_kind kind;
    struct deadline *due;
    while ((due = deadlines_due(&w->env.deadlines, w->env.now, &kind))) {
        struct conn *conn = (struct conn *)due; /* its first member */
        settle_conn(w, conn, conn_expire(conn, &w->env, kind));
    }
}

/* Those that the application has woken in this turn; what it wakes meanwhile is the next one's. */
static void wake_conns(struct worker *w)
{
    for (int i = w->env.woken_count; i > 0; i--) {
        struct conn *conn = conn_next_woken(&w->env);
        settle_conn(w, conn, conn_wake(conn, &w->env));
    }
}

/* ----------------------------------------------------------------------------- the leaving */

static void tell_streams(struct worker *w)
{
    if (!w->job->app->stream && !w->env.has_streams)
        return;
    int left = w->connections; /* no look at the others: there is room for a billion, perhaps */
    for (size_t fd = 0; fd < w->conn_room && left > 0; fd++) {
        if (w->conns[fd].state == CONN_CLOSED)
            continue;
        conn_leave(&w->conns[fd]);
        left--;
    }
}

static void begin_to_leave(struct worker *w)
{
    w->is_leaving = true;
    w->env.leaving = true;
    tell_streams(w);
    if (w->job->app->leaving)
        w->job->app->leaving(w->job->app->context, &w->services);
    w->leave_by = w->job->drain_timeout ? w->env.now + w->job->drain_timeout : CLOCK_NEVER;
}

/* Others accept for its slots. */
static void leave(struct worker *w)
{
    if (w->is_leaving)
        return;
    begin_to_leave(w);
    acceptor_leave(&w->acceptor);
}

/* Nobody does. */
static void stop(struct worker *w)
{
    if (w->is_leaving)
        return;
    begin_to_leave(w);
    acceptor_shut(&w->acceptor);
}

static void report(const struct worker *w, enum report_kind kind, int count, const char *why)
{
    struct report message = {.kind = kind, .count = count};
    snprintf(message.why, sizeof message.why, "%s", why);
    if (pass_send(w->job->channel, &message, sizeof message, NULL, 0) < 0)
        log_debug("cannot tell the master");
}

static void end_all_conns(struct worker *w)
{
    for (size_t fd = 0; fd < w->conn_room && w->connections > 0; fd++)
        if (w->conns[fd].state != CONN_CLOSED)
            end_conn(w, &w->conns[fd]);
}

/* --------------------------------------------------------------- what it is told to be done */

static void obey(struct worker *w, const struct order *order, const int *fds, size_t fd_count)
{
    if (order->slot < 0 || order->slot >= SLOTS_MAX)
        return;
    switch (order->kind) {
    case ORDER_ADOPT: acceptor_add(&w->acceptor, order->slot); break;
    case ORDER_RELEASE: acceptor_remove(&w->acceptor, order->slot); break;
    case ORDER_DOORS: acceptor_learn(&w->acceptor, order->slot, fds, fd_count); break;
    case ORDER_REARM: acceptor_rearm(&w->acceptor); break;
    case ORDER_LEAVE: leave(w); break;
    case ORDER_STOP: stop(w); break;
    }
}

static void on_channel(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct worker *w = context;
    struct order order;
    int fds[PASS_FDS_MAX];
    (void)loop;
    (void)events;
    for (;;) {
        size_t fd_count = PASS_FDS_MAX;
        ssize_t n = pass_receive(fd, &order, sizeof order, fds, &fd_count);
        if (n == (ssize_t)sizeof order) {
            obey(w, &order, fds, fd_count);
            continue;
        }
        if (n == 0 || (n < 0 && errno == ECONNRESET)) {
            w->is_orphan = true; /* the master would not close it while it lives */
            return;
        }
        if (n < 0 && errno != EMSGSIZE)
            return; /* there is no more, or no memory for it now */
        /* It could not serve that slot if it had to adopt it. */
        report(w, REPORT_LEAVING, 0, "has no descriptors left for a new slot's sockets");
    }
}

static void on_signal(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct worker *w = context;
    (void)loop;
    (void)events;
    /* Only the master knows whether others go on: whether this is a leave or a stop. */
    while (sigfd_read(fd) > 0)
        report(w, REPORT_LEAVING, 0, "was told to leave by a signal");
}

/* ------------------------------------------------------------------------------- the start */

static int failed(const struct worker *w, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says why to the master, which logs it with what it does about it. */
static int failed(const struct worker *w, int status, const char *format, ...)
{
    struct report message = {.kind = REPORT_FAILED};
    va_list args;
    va_start(args, format);
    vsnprintf(message.why, sizeof message.why, format, args);
    va_end(args);
    if (pass_send(w->job->channel, &message, sizeof message, NULL, 0) < 0)
        log_warnx("%s", message.why);
    return status;
}

static int take_identity(const struct worker *w)
{
    const struct child_identity *identity = w->job->identity;
    char title[16];
    char name[32];
    snprintf(name, sizeof name, "worker %d", w->job->slot);
    log_set_name(name);
    snprintf(title, sizeof title, "drover:slot %d", w->job->slot);
    if (child_become(identity) < 0)
        return failed(w, EX_NOPERM, "cannot become user %s: %s", identity->name, strerror(errno));
    if (child_tie(w->job->master) < 0 || prctl(PR_SET_NAME, title) < 0)
        return failed(w, EX_OSERR, "prctl: %s", strerror(errno));
    return 0;
}

/* A connection's struct is found by its descriptor's number, so there are as many as those. */
static int map_conns(struct worker *w)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    w->conn_room = (size_t)limit.rlim_cur;
    void *p = mmap(NULL, w->conn_room * sizeof *w->conns, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return -1;
    w->conns = p;
    return 0;
}

static int open_loop(struct worker *w)
{
    static const int signals[] = {SIGTERM, SIGQUIT, 0};
    w->signals = sigfd_open(signals);
    w->loop = loop_open();
    if (w->signals < 0 || !w->loop)
        return -1;
    if (loop_add(w->loop, w->signals, EPOLLIN, on_signal, w) < 0)
        return -1;
    return loop_add(w->loop, w->job->channel, EPOLLIN, on_channel, w);
}

static void woken(void *context)
{
    struct worker *w = context;
    w->env.now = clock_ms();
    w->services.now = w->env.now;
    exchange_tick(&w->env.exchanges, clock_date());
}

static void on_strand(void *context)
{
    report(context, REPORT_STRANDED, 0, "");
}

static int open_env(struct worker *w)
{
    const struct worker_job *job = w->job;
    if (conn_env_open(&w->env, job->app, &w->services, job->row) < 0)
        return -1;
    memcpy(w->env.deadlines.length, job->timeouts, sizeof job->timeouts);
    w->env.exchanges.forwarded = job->forwarded;
    w->env.exchanges.body_max = job->max_body;
    w->env.served_max = job->connection_requests;
    return 0;
}

static int open_services(struct worker *w)
{
    const struct worker_job *job = w->job;
    w->services = (struct drover_worker){
        .loop = w->loop, .app = job->app, .board = job->board, .row = job->row};
    w->has_services = services_open(&w->services) == 0;
    return w->has_services ? 0 : -1;
}

static void on_shed(void *context, int fd)
{
    struct worker *w = context;
    if (!w->job->app->stream)
        shed_send(fd, &w->env.out, w->env.exchanges.date);
}

static int start(struct worker *w)
{
    const struct worker_job *job = w->job;
    char why[DROVER_WHY_SIZE] = "the application gave no reason";
    int status = take_identity(w);
    if (status)
        return status;
    if (map_conns(w) < 0 || open_env(w) < 0 || open_loop(w) < 0 || open_services(w) < 0)
        return failed(w, EX_OSERR, "%s", strerror(errno));
    woken(w);
    if (job->app->worker_start)
        status = job->app->worker_start(job->app->context, &w->services, why);
    if (status)
        return failed(w, status, "%s", why);
    acceptor_init(&w->acceptor, w->loop, job->doors, job->max_connections, start_conn, w);
    w->acceptor.on_strand = on_strand;
    w->acceptor.on_shed = on_shed;
    acceptor_add(&w->acceptor, job->slot);
    acceptor_rearm(&w->acceptor);
    report(w, REPORT_READY, 0, "");
    return 0;
}

static int64_t next_deadline(const struct worker *w)
{
    int64_t next = deadlines_next(&w->env.deadlines);
    if (acceptor_next(&w->acceptor) < next)
        next = acceptor_next(&w->acceptor);
    if (timers_next(&w->services.timers) < next)
        next = timers_next(&w->services.timers);
    if (w->env.woken_count > 0)
        next = w->env.now;
    if (w->is_leaving && w->leave_by < next)
        next = w->leave_by;
    return next;
}

static bool is_done(const struct worker *w)
{
    return w->is_leaving && w->connections == 0 && !w->acceptor.is_open;
}

static int serve(struct worker *w)
{
    while (!w->is_orphan && !is_done(w)) {
        int wait = clock_until(next_deadline(w), w->env.now);
        if (loop_turn(w->loop, wait, woken, w) < 0) {
            log_fatal("epoll_wait");
            return EX_OSERR;
        }
        timers_run(&w->services.timers, w->env.now);
        wake_conns(w);
        expire_conns(w);
        acceptor_tick(&w->acceptor, w->env.now);
        if (w->is_leaving && w->leave_by <= w->env.now) {
            report(w, REPORT_CUT, w->connections, "");
            acceptor_leave(&w->acceptor);
            end_all_conns(w);
        }
    }
    end_all_conns(w);
    return 0;
}

int worker_run(const struct worker_job *job)
{
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        return EX_OSERR;
    w->job = job;
    w->signals = -1;
    int status = start(w);
    if (status == 0) {
        status = serve(w);
        if (job->app->worker_stop)
            job->app->worker_stop(job->app->context, &w->services);
    }
    acceptor_free(&w->acceptor);
    conn_env_free(&w->env);
    if (w->has_services)
        services_close(&w->services);
    loop_close(w->loop);
    if (w->signals >= 0)
        close(w->signals);
    if (w->conns)
        munmap(w->conns, w->conn_room * sizeof *w->conns);
    free(w);
    return status;
}
