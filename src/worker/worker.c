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
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "os/loop.h"
#include "os/pass.h"
#include "os/sigfd.h"
#include "worker/conn.h"
#include "worker/order.h"

struct worker {
    const struct worker_job *job;
    struct loop *loop;
    int signals;            /* signalfd */
    bool serves[SLOTS_MAX]; /* the slots whose doors it polls: its own and adopted ones */
    bool is_paused;         /* full, or out of descriptors: polls no door for now */
    int64_t paused_until;   /* CLOCK_NEVER: until a connection ends */
    int64_t warned_at;      /* when a lack of descriptors was last told */
    bool is_leaving;
    int64_t leave_by; /* the drain's deadline */
    bool is_orphan;   /* the master is gone */
    int connections;
    struct conn *conns; /* by descriptor number; untouched pages cost nothing */
    size_t conn_room;
    struct conn_env env;
};

/* ------------------------------------------------------------------------- the connections */

static void on_conn(struct loop *loop, int fd, uint32_t events, void *context);
static void resume_doors(struct worker *w);

static void end_conn(struct worker *w, struct conn *conn)
{
    if (conn->armed)
        loop_delete(w->loop, conn->fd);
    conn_close(conn, &w->env);
    w->connections--;
    if (w->is_paused && w->paused_until == CLOCK_NEVER)
        resume_doors(w);
}

/* Waits for what the connection wants, or ends it. */
static void settle_conn(struct worker *w, struct conn *conn, enum conn_want want)
{
    uint32_t events = want == CONN_WANT_WRITE ? EPOLLOUT : EPOLLIN;
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

static void start_conn(struct worker *w, int fd)
{
    struct conn *conn = &w->conns[fd];
    conn_open(conn, &w->env, fd);
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

/* ------------------------------------------------------------------------------- the doors */

static void on_door(struct loop *loop, int fd, uint32_t events, void *context);

/* Level-triggered, always: an edge that a dead worker swallowed would strand its queue. */
static void poll_door(int fd, void *context)
{
    struct worker *w = context;
    if (loop_add(w->loop, fd, EPOLLIN, on_door, w) < 0 && errno != EEXIST)
        log_warn("cannot poll a listening socket");
}

static void unpoll_door(int fd, void *context)
{
    struct worker *w = context;
    loop_delete(w->loop, fd); /* ENOENT: it was not polled */
}

/* Shared by all workers: the kernel wakes one of them. */
static void poll_shared(struct worker *w)
{
    const struct doors *doors = w->job->doors;
    for (int i = 0; i < doors->address_count; i++)
        if (doors->shared[i] >= 0 &&
            loop_add(w->loop, doors->shared[i], EPOLLIN | EPOLLEXCLUSIVE, on_door, w) < 0 &&
            errno != EEXIST)
            log_warn("cannot poll a shared socket");
}

static void unpoll_shared(struct worker *w)
{
    const struct doors *doors = w->job->doors;
    for (int i = 0; i < doors->address_count; i++)
        if (doors->shared[i] >= 0)
            unpoll_door(doors->shared[i], w);
}

static void each_served_door(struct worker *w, void (*fn)(int fd, void *context))
{
    for (int slot = 0; slot < w->job->doors->slot_count; slot++)
        if (w->serves[slot])
            doors_each(w->job->doors, slot, fn, w);
}

static void resume_doors(struct worker *w)
{
    w->is_paused = false;
    if (w->is_leaving)
        return;
    each_served_door(w, poll_door);
    poll_shared(w);
}

/* Clients wait in the queues meanwhile. */
static void pause_doors(struct worker *w, int64_t until)
{
    w->is_paused = true;
    w->paused_until = until;
    each_served_door(w, unpoll_door);
    unpoll_shared(w);
}

/* Out of descriptors or memory: trying again at once would spin. */
static void pause_for_lack(struct worker *w)
{
    if (w->env.now - w->warned_at >= 1000) {
        log_warn("cannot accept, with %d connections open; tries again in %d ms", w->connections,
                 ACCEPT_PAUSE_MS);
        w->warned_at = w->env.now;
    }
    pause_doors(w, w->env.now + ACCEPT_PAUSE_MS);
}

/*
 * Accepts one connection and serves it. Returns false when there is none, or no room for one.
 * Errors of the one that was about to be accepted are not ours (accept(2), "Error handling").
 */
static bool accept_one(struct worker *w, int door)
{
    if (w->connections >= w->job->max_connections) {
        pause_doors(w, CLOCK_NEVER);
        return false;
    }
    int fd = accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && (size_t)fd < w->conn_room) {
        start_conn(w, fd);
        return true;
    }
    if (fd >= 0) { /* cannot be: the table is as large as the limit of descriptors */
        close(fd);
        return true;
    }
    if (errno == EAGAIN)
        return false;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        pause_for_lack(w);
        return false;
    }
    if (errno == EINVAL) { /* shut down: a stop is under way */
        loop_delete(w->loop, door);
        return false;
    }
    return true;
}

/* One at a time, each served before the next is taken: a worker that dies holds one, not many. */
static void on_door(struct loop *loop, int fd, uint32_t events, void *context)
{
    (void)loop;
    (void)events;
    for (int i = 0; i < ACCEPT_TURN_MAX; i++)
        if (!accept_one(context, fd))
            return;
}

/* ----------------------------------------------------------------------------- the leaving */

static void close_door(int fd, void *context)
{
    struct worker *w = context;
    while (accept_one(w, fd))
        continue;
    /* For every process at once, and atomic: what comes now is refused, not left in a queue. */
    shutdown(fd, SHUT_RDWR);
    unpoll_door(fd, w);
}

static void begin_to_leave(struct worker *w)
{
    w->is_leaving = true;
    w->env.leaving = true;
    w->leave_by = w->job->drain_timeout ? w->env.now + w->job->drain_timeout : CLOCK_NEVER;
}

/* Others accept for its slots. */
static void leave(struct worker *w)
{
    if (w->is_leaving)
        return;
    begin_to_leave(w);
    each_served_door(w, unpoll_door);
    unpoll_shared(w);
}

/* Nobody does. */
static void stop(struct worker *w)
{
    const struct doors *doors = w->job->doors;
    if (w->is_leaving)
        return;
    begin_to_leave(w);
    each_served_door(w, close_door);
    for (int i = 0; i < doors->address_count; i++)
        if (doors->shared[i] >= 0)
            close_door(doors->shared[i], w);
}

static void report(const struct worker *w, enum report_kind kind, int count)
{
    struct report message = {.kind = kind, .count = count};
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

static void take_doors(struct worker *w, int slot, const int *fds, size_t count)
{
    struct doors *doors = w->job->doors;
    size_t next = 0;
    for (int i = 0; i < doors->address_count && next < count; i++)
        if (doors->shared[i] < 0)
            doors->own[slot][i] = fds[next++];
    if (slot >= doors->slot_count)
        doors->slot_count = slot + 1;
}

static void adopt(struct worker *w, int slot)
{
    w->serves[slot] = true;
    if (!w->is_paused && !w->is_leaving)
        doors_each(w->job->doors, slot, poll_door, w);
}

static void release(struct worker *w, int slot)
{
    w->serves[slot] = false;
    doors_each(w->job->doors, slot, unpoll_door, w);
}

static void rearm(struct worker *w)
{
    unpoll_shared(w);
    if (!w->is_paused && !w->is_leaving)
        poll_shared(w);
}

static void obey(struct worker *w, const struct order *order, const int *fds, size_t fd_count)
{
    if (order->slot < 0 || order->slot >= SLOTS_MAX)
        return;
    switch (order->kind) {
    case ORDER_ADOPT: adopt(w, order->slot); break;
    case ORDER_RELEASE: release(w, order->slot); break;
    case ORDER_DOORS: take_doors(w, order->slot, fds, fd_count); break;
    case ORDER_REARM: rearm(w); break;
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
        if (n < 0 && errno == EAGAIN)
            return;
        w->is_orphan = true; /* the master would not close it while it lives */
        return;
    }
}

static void on_signal(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct worker *w = context;
    (void)loop;
    (void)events;
    while (sigfd_read(fd) > 0) {
        report(w, REPORT_LEAVING, 0); /* so that another accepts for the slot */
        leave(w);
    }
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
    exchange_tick(&w->env.exchange, clock_date());
}

static int start(struct worker *w)
{
    const struct worker_job *job = w->job;
    char why[DROVER_WHY_SIZE] = "the application gave no reason";
    struct board_row *row = &job->board->rows[job->slot];
    int status = take_identity(w);
    if (status)
        return status;
    if (map_conns(w) < 0 || conn_env_open(&w->env, job->app, row) < 0 || open_loop(w) < 0)
        return failed(w, EX_OSERR, "%s", strerror(errno));
    board_add(&row->connections, -(int64_t)row->connections); /* a dead predecessor's */
    memcpy(w->env.deadlines.length, job->timeouts, sizeof job->timeouts);
    woken(w);
    status = job->app->worker_start ? job->app->worker_start(job->app->context, why) : 0;
    if (status)
        return failed(w, status, "%s", why);
    w->serves[job->slot] = true;
    resume_doors(w);
    report(w, REPORT_READY, 0);
    return 0;
}

static int64_t next_deadline(const struct worker *w)
{
    int64_t next = deadlines_next(&w->env.deadlines);
    if (w->is_paused && w->paused_until < next)
        next = w->paused_until;
    if (w->is_leaving && w->leave_by < next)
        next = w->leave_by;
    return next;
}

static int serve(struct worker *w)
{
    while (!w->is_orphan && !(w->is_leaving && w->connections == 0)) {
        int wait = clock_until(next_deadline(w), w->env.now);
        if (loop_turn(w->loop, wait, woken, w) < 0) {
            log_fatal("epoll_wait");
            return EX_OSERR;
        }
        expire_conns(w);
        if (w->is_paused && w->paused_until <= w->env.now)
            resume_doors(w);
        if (w->is_leaving && w->leave_by <= w->env.now) {
            report(w, REPORT_CUT, w->connections);
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
    w->warned_at = -1000;
    int status = start(w);
    if (status == 0) {
        status = serve(w);
        if (job->app->worker_stop)
            job->app->worker_stop(job->app->context);
    }
    conn_env_free(&w->env);
    loop_close(w->loop);
    if (w->signals >= 0)
        close(w->signals);
    if (w->conns)
        munmap(w->conns, w->conn_room * sizeof *w->conns);
    free(w);
    return status;
}
