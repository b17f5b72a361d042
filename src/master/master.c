#include "master/master.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/children.h"
#include "master/plan.h"
#include "master/slots.h"
#include "os/loop.h"
#include "os/pass.h"
#include "os/pidfile.h"
#include "os/sigfd.h"
#include "worker/worker.h"

/* Descriptors of a worker that are neither connections nor listeners: its loop, signals, channel,
 * root, the standard three, and a few files that are being sent. */
#define SPARE_FDS 64

struct master {
    struct settings *settings;
    const struct drover_app *app;
    pid_t pid;
    struct loop *loop;
    int signals; /* signalfd */
    int pidfile; /* -1: none */
    struct doors doors;
    struct board *board;
    struct plan plan;
    struct children children;
    int64_t now;
    bool is_announced; /* every worker has accepted once */
    int renewing;      /* the slot that a reload is at; -1: no reload is under way */
    size_t cut;        /* connections that were closed at a drain's deadline */
};

/* ------------------------------------------------------------------------- talking to workers */

static void send_order(const struct child *child, enum order_kind kind, int slot, const int *fds,
                       size_t fd_count)
{
    struct order order = {.kind = kind, .slot = slot};
    if (pass_send(child->channel, &order, sizeof order, fds, fd_count) < 0 && errno != EPIPE &&
        errno != ECONNRESET) /* dead: that is dealt with when it is reaped */
        log_warn("cannot reach worker %d (pid %d)", child->slot, (int)child->pid);
}

static void order_slot(const struct master *m, int worker, enum order_kind kind, int slot)
{
    const struct child *child = children_of_slot(&m->children, worker);
    if (child)
        send_order(child, kind, slot, NULL, 0);
}

/* ------------------------------------------------------------------------------ the actions */

static void step(struct master *m, enum plan_event event, int slot);

static void fill_job(const struct master *m, struct worker_job *job, int slot, int channel)
{
    const struct settings *s = m->settings;
    *job = (struct worker_job){
        .slot = slot,
        .channel = channel,
        .master = m->pid,
        .board = m->board,
        .app = m->app,
        .identity = &s->identity,
        .max_connections = (int)s->max_connections,
        .timeouts = {[DEADLINE_HEADER] = s->header_timeout,
                     [DEADLINE_BODY] = s->body_timeout,
                     [DEADLINE_SEND] = s->send_timeout,
                     [DEADLINE_IDLE] = s->idle_timeout,
                     [DEADLINE_LINGER] = LINGER_MS},
        .drain_timeout = s->drain_timeout,
    };
}

/* In the child: gives up what is the master's, works, and ends. */
static _Noreturn void become_worker(struct master *m, int slot, int channel)
{
    struct worker_job job;
    fill_job(m, &job, slot, channel);
    job.doors = &m->doors;
    loop_close(m->loop);
    close(m->signals);
    if (m->pidfile >= 0)
        close(m->pidfile);
    if (m->settings->ready_fd > STDERR_FILENO && !m->is_announced)
        close((int)m->settings->ready_fd);
    children_free(&m->children);
    int status = worker_run(&job);
    close(channel);
    doors_close(&m->doors);
    board_close(m->board);
    exit(status);
}

static void on_channel(struct loop *loop, int fd, uint32_t events, void *context);

static int fork_worker(struct master *m, int slot)
{
    int ends[2];
    if (children_reserve(&m->children) < 0 || pass_pair(ends) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        become_worker(m, slot, ends[1]);
    }
    int saved = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        errno = saved;
        return -1;
    }
    children_add(&m->children, pid, slot, ends[0]);
    log_debug("worker %d: forked as pid %d", slot, (int)pid);
    if (loop_add(m->loop, ends[0], EPOLLIN, on_channel, m) < 0) {
        log_warn("cannot listen to worker %d", slot);
        kill(pid, SIGKILL); /* and when it is reaped, the next is forked */
    }
    return 0;
}

static void spawn(struct master *m, int slot)
{
    if (fork_worker(m, slot) == 0)
        return;
    log_warn("cannot fork worker %d", slot);
    step(m, PLAN_ENDED, slot);
}

static void dismiss(struct master *m, int slot)
{
    struct child *child = children_of_slot(&m->children, slot);
    int64_t drain = m->settings->drain_timeout;
    if (!child)
        return;
    child->is_leaving = true;
    child->deadline = drain ? m->now + drain + DRAIN_GRACE_MS : CLOCK_NEVER;
    send_order(child, m->plan.is_stopping ? ORDER_STOP : ORDER_LEAVE, slot, NULL, 0);
}

static void kill_late(const struct master *m, int slot)
{
    const struct child *child = children_of_slot(&m->children, slot);
    if (!child)
        return;
    log_warnx("worker %d (pid %d) is not ready after %lld ms and is ended", slot, (int)child->pid,
              (long long)m->plan.start_timeout);
    kill(child->pid, SIGKILL);
}

static void act(struct master *m, const struct plan_action *action)
{
    switch (action->deed) {
    case PLAN_SPAWN: spawn(m, action->slot); break;
    case PLAN_KILL: kill_late(m, action->slot); break;
    case PLAN_DISMISS: dismiss(m, action->slot); break;
    case PLAN_ADOPT: order_slot(m, action->by, ORDER_ADOPT, action->slot); break;
    case PLAN_RELEASE: order_slot(m, action->by, ORDER_RELEASE, action->slot); break;
    case PLAN_REARM: order_slot(m, action->slot, ORDER_REARM, action->slot); break;
    }
}

static void step(struct master *m, enum plan_event event, int slot)
{
    struct plan_actions actions;
    plan_step(&m->plan, event, slot, m->now, &actions);
    for (int i = 0; i < actions.count; i++)
        act(m, &actions.list[i]);
}

/* -------------------------------------------------------------------------------- readiness */

static void write_ready(const struct settings *s)
{
    char text[NET_TEXT_SIZE];
    if (s->ready_fd < 0)
        return;
    for (int i = 0; i < s->address_count; i++) {
        net_text(&s->addresses[i], text);
        if (dprintf((int)s->ready_fd, "%s\n", text) < 0)
            log_warn("--ready-fd %lld", (long long)s->ready_fd);
    }
    if (s->ready_fd > STDERR_FILENO)
        close((int)s->ready_fd);
}

static void announce(struct master *m)
{
    char text[NET_TEXT_SIZE], where[1024], root[PATH_MAX];
    size_t n = 0;
    m->is_announced = true;
    for (int i = 0; i < m->settings->address_count && n < sizeof where; i++) {
        const struct net_address *address = &m->settings->addresses[i];
        net_text(address, text);
        n += (size_t)snprintf(where + n, sizeof where - n,
                              net_is_shared(address) ? "%s%s" : "%shttp://%s/", i ? ", " : "",
                              text);
    }
    log_info("serving %s at %s with %d worker%s; Ctrl-C or kill %d stops it",
             realpath(m->settings->root, root) ? root : m->settings->root, where,
             m->plan.slot_count, m->plan.slot_count == 1 ? "" : "s", (int)m->pid);
    write_ready(m->settings);
}

static void on_ready(struct master *m, struct child *child)
{
    child->is_ready = true;
    log_debug("worker %d (pid %d) accepts", child->slot, (int)child->pid);
    step(m, PLAN_READY, child->slot);
    if (!m->is_announced && plan_count(&m->plan, SLOT_LIVE) == m->plan.slot_count)
        announce(m);
}

/* ----------------------------------------------------------------------------------- reload */

/* One worker after the other, so that the rest serves meanwhile. */
static void renew_next(struct master *m)
{
    while (m->renewing < m->plan.slot_count && m->plan.slots[m->renewing].state == SLOT_EMPTY)
        m->renewing++;
    if (m->renewing < m->plan.slot_count) {
        step(m, PLAN_RENEW, m->renewing);
        return;
    }
    log_info("reload: every worker is a fresh one");
    m->renewing = -1;
}

static void reload(struct master *m)
{
    if (m->plan.is_stopping)
        return;
    m->renewing = 0;
    renew_next(m);
}

static void renewed(struct master *m, int slot)
{
    if (m->renewing != slot)
        return;
    m->renewing++;
    renew_next(m);
}

static void renewal_failed(struct master *m, int slot)
{
    if (m->renewing != slot)
        return;
    m->renewing = -1;
    log_warnx(
        "reload: given up, since worker %d does not start; the workers that were not replaced "
        "go on",
        slot);
}

/* ----------------------------------------------------------------------- what workers report */

static void heed(struct master *m, struct child *child, const struct report *report)
{
    int slot = child->slot;
    switch (report->kind) {
    case REPORT_READY:
        if (child->is_leaving)
            break;
        on_ready(m, child);
        renewed(m, slot);
        break;
    case REPORT_FAILED:
        memcpy(child->why, report->why, sizeof child->why);
        child->why[sizeof child->why - 1] = '\0';
        break;
    case REPORT_LEAVING:
        if (child->is_leaving)
            break;
        log_info("worker %d (pid %d) was told to leave by a signal; another takes its place", slot,
                 (int)child->pid);
        step(m, PLAN_LEAVING, slot);
        break;
    case REPORT_CUT: m->cut += (size_t)report->count; break;
    }
}

/* Reads all that it has said. A step may add children, so it is looked up anew each time. */
static void read_channel(struct master *m, int channel)
{
    struct report report;
    for (;;) {
        struct child *child = children_by_channel(&m->children, channel);
        ssize_t n = pass_receive(channel, &report, sizeof report, NULL, NULL);
        if (!child || n != (ssize_t)sizeof report) {
            if (n == 0) /* gone: SIGCHLD tells how */
                loop_delete(m->loop, channel);
            return;
        }
        heed(m, child, &report);
    }
}

static void on_channel(struct loop *loop, int fd, uint32_t events, void *context)
{
    (void)loop;
    (void)events;
    read_channel(context, fd);
}

/* ------------------------------------------------------------------------------- the reaping */

static void describe_return(const struct plan_slot *slot, int64_t now, char *text, size_t size)
{
    if (slot->state == SLOT_WAITING)
        snprintf(text, size, "the next one comes in %lld ms (%d ends in a row)",
                 (long long)(slot->deadline - now), slot->ends);
    else if (slot->state == SLOT_REFUSED)
        snprintf(text, size, "it is not tried again until a reload");
    else
        snprintf(text, size, "the next one comes at once");
}

/* The end of the slot's own worker. */
static void end_of_worker(struct master *m, const struct child *child, int status)
{
    char how[64], next[96];
    bool is_misfit = WIFEXITED(status) && WEXITSTATUS(status) == EX_CONFIG;
    int slot = child->slot;
    child_describe(status, how, sizeof how);
    struct child copy = *child;
    children_remove(&m->children, children_by_pid(&m->children, copy.pid));
    step(m, is_misfit ? PLAN_MISFIT : PLAN_ENDED, slot);
    describe_return(&m->plan.slots[slot], m->now, next, sizeof next);
    log_warnx("worker %d (pid %d) %s: %s%s%s; %s", slot, (int)copy.pid,
              copy.is_ready ? "ended" : "did not start", copy.why, copy.why[0] ? "; " : "", how,
              next);
    if (!copy.is_ready)
        renewal_failed(m, slot);
}

/* The end of one that was dismissed. */
static void end_of_leaver(struct master *m, struct child *child, int status)
{
    char how[64];
    child_describe(status, how, sizeof how);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        log_debug("worker %d (pid %d) has left", child->slot, (int)child->pid);
    else
        log_warnx("worker %d (pid %d) was leaving: %s", child->slot, (int)child->pid, how);
    children_remove(&m->children, child);
}

static void child_changed(struct master *m, struct child *child, int status)
{
    if (WIFSTOPPED(status) || WIFCONTINUED(status)) {
        bool stopped = WIFSTOPPED(status);
        log_warnx("worker %d (pid %d) was %s", child->slot, (int)child->pid,
                  stopped ? "stopped; its slot is served by another" : "continued");
        if (!child->is_leaving)
            step(m, stopped ? PLAN_STOPPED : PLAN_CONTINUED, child->slot);
        return;
    }
    loop_delete(m->loop, child->channel);
    if (child->is_leaving)
        end_of_leaver(m, child, status);
    else
        end_of_worker(m, child, status);
}

/* Until nothing is left: one SIGCHLD may stand for many. As PID 1 others' children come too. */
static void reap(struct master *m)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
        struct child *child = children_by_pid(&m->children, pid);
        if (!child)
            continue;
        read_channel(m, child->channel); /* its last words */
        child = children_by_pid(&m->children, pid);
        if (child)
            child_changed(m, child, status);
    }
}

/* ------------------------------------------------------------------------------ the signals */

static void kill_all(struct master *m)
{
    for (size_t i = 0; i < m->children.count; i++)
        kill(m->children.list[i].pid, SIGKILL);
}

static void stop(struct master *m, int signal)
{
    struct board_row sum = board_sum(m->board);
    char limit[64] = "";
    if (m->plan.is_stopping) {
        log_info("stopping at once on a second %s, with %llu connections open", sigfd_name(signal),
                 (unsigned long long)sum.connections);
        kill_all(m);
        return;
    }
    if (m->settings->drain_timeout)
        snprintf(limit, sizeof limit, " for at most %lld ms",
                 (long long)m->settings->drain_timeout);
    if (sum.connections > 0)
        log_info("stopping on %s: %llu connections are open and are waited for%s; once more stops "
                 "at once",
                 sigfd_name(signal), (unsigned long long)sum.connections, limit);
    else
        log_info("stopping on %s", sigfd_name(signal));
    m->renewing = -1;
    m->plan.is_stopping = true;
    for (int slot = 0; slot < m->plan.slot_count; slot++)
        step(m, PLAN_UNWANT, slot);
}

static int count_wanted(const struct plan *plan)
{
    return plan->slot_count - plan_count(plan, SLOT_EMPTY);
}

/* Sockets of a new slot: the older workers need them, since one of them will have to adopt it. */
static int add_slot(struct master *m)
{
    int fds[ADDRESSES_MAX];
    if (m->plan.slot_count == SLOTS_MAX) {
        errno = ENOSPC;
        return -1;
    }
    if (slots_add(&m->doors, m->settings->addresses) < 0)
        return -1;
    int slot = plan_add_slot(&m->plan);
    size_t count = slots_own(&m->doors, slot, fds);
    for (size_t i = 0; i < m->children.count; i++)
        if (!m->children.list[i].is_leaving)
            send_order(&m->children.list[i], ORDER_DOORS, slot, fds, count);
    return slot;
}

static void one_more(struct master *m)
{
    int slot = 0;
    while (slot < m->plan.slot_count && m->plan.slots[slot].state != SLOT_EMPTY)
        slot++;
    if (slot == m->plan.slot_count && (slot = add_slot(m)) < 0) {
        log_warn("cannot add a worker to the %d there are", m->plan.slot_count);
        return;
    }
    step(m, PLAN_WANT, slot);
    log_info("one worker more: %d", count_wanted(&m->plan));
}

static void one_less(struct master *m)
{
    int slot = m->plan.slot_count - 1;
    if (count_wanted(&m->plan) <= 1) {
        log_warnx("the last worker stays");
        return;
    }
    while (m->plan.slots[slot].state == SLOT_EMPTY)
        slot--;
    step(m, PLAN_UNWANT, slot);
    renewed(m, slot);
    log_info("one worker less: %d", count_wanted(&m->plan));
}

static void heed_signal(struct master *m, int signal)
{
    switch (signal) {
    case SIGCHLD: reap(m); break;
    case SIGTERM:
    case SIGQUIT:
    case SIGINT: stop(m, signal); break;
    case SIGHUP: reload(m); break;
    case SIGTTIN:
        if (!m->plan.is_stopping)
            one_more(m);
        break;
    case SIGTTOU:
        if (!m->plan.is_stopping)
            one_less(m);
        break;
    default: log_info("%s has no meaning here", sigfd_name(signal)); break;
    }
}

static void on_signal(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct master *m = context;
    int signal;
    (void)loop;
    (void)events;
    while ((signal = sigfd_read(fd)) > 0)
        heed_signal(m, signal);
}

/* -------------------------------------------------------------------------------- the start */

static int fail(int status, const char *what)
{
    log_fatal("%s", what);
    return status;
}

/* A worker needs a descriptor a connection. */
static void fit_descriptors(struct settings *s)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        getrlimit(RLIMIT_NOFILE, &limit);
    int64_t others = s->workers * s->address_count + SPARE_FDS;
    int64_t room = (int64_t)limit.rlim_cur - others;
    if (limit.rlim_cur == RLIM_INFINITY || s->max_connections <= room)
        return;
    room = room > 1 ? room : 1;
    log_warnx("--max-connections %lld: a process may have only %llu descriptors open (ulimit -n), "
              "so a worker takes %lld connections",
              (long long)s->max_connections, (unsigned long long)limit.rlim_cur, (long long)room);
    s->max_connections = room;
}

static int open_pidfile(struct master *m)
{
    pid_t holder;
    const char *path = m->settings->pidfile;
    if (!path)
        return 0;
    m->pidfile = pidfile_open(path, &holder);
    if (m->pidfile >= 0)
        return 0;
    if (errno == EWOULDBLOCK) {
        log_fatalx("--pidfile %s: is held by pid %d, which is running", path, (int)holder);
        return EX_UNAVAILABLE;
    }
    log_fatal("--pidfile %s", path);
    return errno == EACCES || errno == EPERM ? EX_NOPERM : EX_OSERR;
}

static int open_doors(struct master *m)
{
    char why[256];
    struct settings *s = m->settings;
    int status = slots_open(&m->doors, s->addresses, s->address_count, (int)s->workers, why,
                            sizeof why);
    if (status)
        log_fatalx("%s", why);
    return status;
}

static int open_loop(struct master *m)
{
    static const int signals[] = {SIGTERM, SIGQUIT, SIGINT,  SIGHUP,  SIGUSR1,
                                  SIGUSR2, SIGTTIN, SIGTTOU, SIGCHLD, 0};
    m->signals = sigfd_open(signals);
    m->loop = loop_open();
    if (m->signals < 0 || !m->loop)
        return -1;
    return loop_add(m->loop, m->signals, EPOLLIN, on_signal, m);
}

static int start(struct master *m)
{
    struct settings *s = m->settings;
    if (sigfd_block(NULL) < 0)
        return fail(EX_OSERR, "sigprocmask");
    fit_descriptors(s);
    m->board = board_open();
    if (!m->board || open_loop(m) < 0)
        return fail(EX_OSERR, "cannot start");
    int status = open_pidfile(m);
    if (status)
        return status;
    status = open_doors(m);
    if (status)
        return status;
    plan_init(&m->plan, s->start_timeout);
    m->now = clock_ms();
    for (int64_t i = 0; i < s->workers; i++)
        plan_add_slot(&m->plan);
    for (int slot = 0; slot < m->plan.slot_count; slot++)
        step(m, PLAN_WANT, slot);
    return 0;
}

/* --------------------------------------------------------------------------------- the loop */

static void woken(void *context)
{
    struct master *m = context;
    m->now = clock_ms();
}

static void heed_deadlines(struct master *m)
{
    int slot;
    while (plan_next(&m->plan, &slot) <= m->now)
        step(m, PLAN_DUE, slot);
    for (size_t i = 0; i < m->children.count; i++) {
        struct child *child = &m->children.list[i];
        if (child->deadline > m->now)
            continue;
        log_warnx("worker %d (pid %d) has not left in time and is ended", child->slot,
                  (int)child->pid);
        kill(child->pid, SIGKILL);
        child->deadline = CLOCK_NEVER;
    }
}

/* From here on nothing that can be recovered from may end the master. */
static void supervise(struct master *m)
{
    while (!(m->plan.is_stopping && m->children.count == 0)) {
        int slot;
        int64_t next = plan_next(&m->plan, &slot);
        int64_t leavers = children_next(&m->children);
        if (leavers < next)
            next = leavers;
        if (loop_turn(m->loop, clock_until(next, m->now), woken, m) < 0)
            log_fatal("epoll_wait");
        heed_deadlines(m);
    }
}

static void say_goodbye(const struct master *m)
{
    struct board_row sum = board_sum(m->board);
    log_info("stopped: %llu requests were answered on %llu connections; %zu connections were "
             "closed at the deadline",
             (unsigned long long)sum.requests, (unsigned long long)sum.accepted, m->cut);
}

static void clean_up(struct master *m)
{
    slots_close(&m->doors, m->settings->addresses);
    if (m->pidfile >= 0)
        pidfile_close(m->pidfile, m->settings->pidfile);
    children_free(&m->children);
    board_close(m->board);
    loop_close(m->loop);
    if (m->signals >= 0)
        close(m->signals);
}

int master_run(struct settings *settings, const struct drover_app *app)
{
    struct master m = {.settings = settings,
                       .app = app,
                       .pid = getpid(),
                       .signals = -1,
                       .pidfile = -1,
                       .renewing = -1};
    doors_init(&m.doors);
    log_set_level(settings->log_level);
    int status = start(&m);
    if (status == 0) {
        supervise(&m);
        say_goodbye(&m);
    }
    clean_up(&m);
    return status;
}
