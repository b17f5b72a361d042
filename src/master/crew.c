#include "master/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/announce.h"
#include "master/slots.h"
#include "os/pass.h"
#include "worker/worker.h"

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

static void fill_job(struct master *m, struct worker_job *job, int slot, int row, int channel)
{
    const struct settings *s = m->settings;
    *job = (struct worker_job){
        .slot = slot,
        .channel = channel,
        .master = m->pid,
        .board = m->board,
        .row = &m->board->rows[row],
        .doors = &m->doors,
        .app = m->app,
        .forwarded = &s->trusted,
        .identity = &s->identity,
        .max_connections = (int)s->max_connections,
        .max_body = (uint64_t)s->max_body,
        .connection_requests = (uint32_t)s->connection_requests,
        .timeouts = {[DEADLINE_HEADER] = s->header_timeout,
                     [DEADLINE_BODY] = s->body_timeout,
                     [DEADLINE_ANSWER] = s->answer_timeout,
                     [DEADLINE_SEND] = s->send_timeout,
                     [DEADLINE_IDLE] = s->idle_timeout,
                     [DEADLINE_LINGER] = LINGER_MS},
        .drain_timeout = s->drain_timeout,
        .max_requests = (uint64_t)s->max_requests,
        .max_rss = (uint64_t)s->max_rss,
    };
}

/* In the child: gives up what is the master's, works, and ends. */
static _Noreturn void become_worker(struct master *m, int slot, int row, int channel)
{
    struct worker_job job;
    fill_job(m, &job, slot, row, channel);
    loop_close(m->loop);
    close(m->signals);
    if (m->pidfile >= 0)
        close(m->pidfile);
    if (!m->is_announced)
        announce_close(m->settings);
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
    int row = children_free_row(&m->children, slot);
    if (row < 0) {
        errno = EAGAIN; /* so many are leaving */
        return -1;
    }
    if (children_reserve(&m->children) < 0 || pass_pair(ends) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        become_worker(m, slot, row, ends[1]);
    }
    int saved = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        errno = saved;
        return -1;
    }
    children_add(&m->children, pid, slot, row, ends[0]);
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
    crew_step(m, PLAN_ENDED, slot);
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

void crew_step(struct master *m, enum plan_event event, int slot)
{
    struct plan_actions actions;
    plan_step(&m->plan, event, slot, m->now, &actions);
    for (int i = 0; i < actions.count; i++)
        act(m, &actions.list[i]);
}

/* ----------------------------------------------------------------------- what workers report */

static void on_ready(struct master *m, struct child *child)
{
    int slot = child->slot;
    child->is_ready = true;
    log_debug("worker %d (pid %d) accepts", slot, (int)child->pid);
    crew_step(m, PLAN_READY, slot);
    m->on_start(m, slot, true);
}

/* What waits at a shared socket was announced to this worker alone. */
static void wake_others(const struct master *m, int slot)
{
    for (int i = 0; i < m->plan.slot_count; i++)
        if (i != slot && m->plan.slots[i].state == SLOT_LIVE)
            order_slot(m, i, ORDER_REARM, i);
}

static void heed(struct master *m, struct child *child, const struct report *report)
{
    switch (report->kind) {
    case REPORT_READY:
        if (child->is_leaving)
            break;
        on_ready(m, child);
        break;
    case REPORT_FAILED:
        memcpy(child->why, report->why, sizeof child->why);
        child->why[sizeof child->why - 1] = '\0';
        break;
    case REPORT_LEAVING:
        if (!child->is_leaving)
            m->on_leaving(m, child, report->why);
        break;
    case REPORT_STRANDED: wake_others(m, child->slot); break;
    case REPORT_CUT: m->cut += (size_t)report->count; break;
    case REPORT_SPENT: break;
    }
}

/* Reads all that it has said. A step may add children, so it is looked up anew each time. */
static void read_channel(struct master *m, int channel)
{
    struct report report;
    for (;;) {
        struct child *child = children_by_channel(&m->children, channel);
        ssize_t n = pass_receive(channel, &report, sizeof report, NULL, NULL);
        if (n < 0 && errno == ECONNRESET)
            continue; /* it ended with orders unread; what it had said comes behind that */
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
    crew_step(m, is_misfit ? PLAN_MISFIT : PLAN_ENDED, slot);
    describe_return(&m->plan.slots[slot], m->now, next, sizeof next);
    log_warnx("worker %d (pid %d) %s: %s%s%s; %s", slot, (int)copy.pid,
              copy.is_ready ? "ended" : "did not start", copy.why, copy.why[0] ? "; " : "", how,
              next);
    if (!copy.is_ready)
        m->on_start(m, slot, false);
}

/* The end of one that was dismissed. */
static void end_of_leaver(struct master *m, struct child *child, int status)
{
    char how[64];
    child_describe(status, how, sizeof how);
    if (child->is_killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        log_debug("worker %d (pid %d) has left: %s", child->slot, (int)child->pid, how);
    else
        log_warnx("worker %d (pid %d) was leaving: %s", child->slot, (int)child->pid, how);
    children_remove(&m->children, child);
}

static void child_changed(struct master *m, struct child *child, int status)
{
    if (WIFSTOPPED(status) || WIFCONTINUED(status)) {
        char how[64];
        child_describe(status, how, sizeof how);
        log_warnx("worker %d (pid %d) was %s", child->slot, (int)child->pid, how);
        if (!child->is_leaving)
            crew_step(m, WIFSTOPPED(status) ? PLAN_STOPPED : PLAN_CONTINUED, child->slot);
        return;
    }
    board_leave(&m->board->rows[child->row], m->app->metrics);
    loop_delete(m->loop, child->channel);
    if (child->is_leaving)
        end_of_leaver(m, child, status);
    else
        end_of_worker(m, child, status);
}

/* Until nothing is left: one SIGCHLD may stand for many. As PID 1 others' children come too. */
void crew_reap(struct master *m)
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

/* ------------------------------------------------------------------------------ the whole */

int crew_add_slot(struct master *m)
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

int crew_size(const struct master *m)
{
    return m->plan.slot_count - plan_count(&m->plan, SLOT_EMPTY);
}

void crew_end_late(struct master *m)
{
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

void crew_kill(struct master *m)
{
    for (size_t i = 0; i < m->children.count; i++) {
        kill(m->children.list[i].pid, SIGKILL);
        m->children.list[i].is_killed = true;
    }
}
