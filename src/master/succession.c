#include "master/succession.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/crew.h"
#include "master/logs.h"
#include "master/record.h"
#include "master/recruit.h"
#include "master/slots.h"
#include "master/standbys.h"
#include "master/takeover.h"
#include "os/pass.h"
#include "worker/standby.h"

/* ---------------------------------------------------------------- one that is to be made */

static bool lives_superseded(const struct master *m, const struct generation *g, int slot)
{
    for (size_t i = 0; i < m->children.count; i++) {
        const struct child *child = &m->children.list[i];
        if (child->is_superseded && child->generation == g && child->slot == slot)
            return true;
    }
    return false;
}

bool succession_is_possible(const struct child *child)
{
    return child->is_ready && !child->is_heir && standbys_can_wake(&child->standby);
}

/* What has changed since its standby was made; the rest comes as for any worker. */
static void tell_news(const struct master *m, struct child *child)
{
    int fds[ADDRESSES_MAX + INBOX_ENDS];
    struct doors *doors = &child->generation->doors;
    for (int slot = child->standby.slot_count; slot < doors->slot_count; slot++) {
        struct order order = {.kind = ORDER_DOORS, .slot = slot};
        crew_send(child, &order, fds, slots_own(doors, slot, fds));
    }
    if (child->standby.logs != m->logs.number)
        logs_tell(m, child);
    if (!child->standby.is_parted)
        return;
    struct order order = {.kind = ORDER_ALONE, .slot = child->slot};
    child->is_twinned = lives_superseded(m, child->generation, child->slot);
    if (!child->is_twinned)
        crew_send(child, &order, NULL, 0);
}

/* The standby is the new one's from here on. NULL with errno set. The child may be elsewhere then.
 */
static struct child *await(struct master *m, pid_t pid, bool is_hung)
{
    int ends[2];
    struct child *old = children_by_pid(&m->children, pid);
    struct generation *g = old->generation;
    int slot = old->slot;
    int row = recruit_row(m, slot); /* which may move the children */
    if (row < 0 || pass_pair(ends) < 0)
        return NULL;
    struct child *new = recruit_enter(m, 0, g, slot, row, ends[0]);
    if (!new)
        new = children_by_channel(&m->children, ends[0]); /* which is not heard, and given up */
    old = children_by_pid(&m->children, pid);
    new->is_awaited = true;
    new->heritage = (struct heritage){.from = old->row,
                                      .end = ends[1],
                                      .is_hung = is_hung,
                                      .since_us = clock_us(),
                                      .until = CLOCK_NEVER};
    new->closing = old->closing;
    new->standby = old->standby;
    old->standby = (struct standby){.channel = -1};
    return new;
}

bool succession_begin(struct master *m, const struct child *child)
{
    if (!succession_is_possible(child))
        return false;
    struct generation *g = child->generation;
    int slot = child->slot;
    bool is_leaving = child->is_leaving || children_heir_of_slot(&m->children, g, slot);
    enum board_end cause = child->cause;
    struct child *new = await(m, child->pid, false);
    if (!new) {
        log_warn("worker %d: its standby cannot go on", slot);
        return false;
    }
    new->is_leaving = is_leaving;
    if (is_leaving)
        new->cause = cause;
    tell_news(m, new);
    return true;
}

static struct child *successor_of(const struct master *m, int row)
{
    for (size_t i = 0; i < m->children.count; i++)
        if (m->children.list[i].is_awaited && m->children.list[i].heritage.from == row)
            return &m->children.list[i];
    return NULL;
}

/* The backoff of workers that crash in a row is not their clients'. */
static bool waits_long(const struct master *m, const struct child *child)
{
    const struct plan_slot *slot = &child->generation->plan.slots[child->slot];
    return slot->state == SLOT_WAITING && slot->deadline - m->now > STANDBY_HOLD_MS;
}

bool succession_hand_over(struct master *m, const struct child *gone)
{
    struct child *child = successor_of(m, gone->row);
    if (!child || (!child->is_leaving && !waits_long(m, child)))
        return false;
    if (child->cause == BOARD_ENDS || child->cause == BOARD_END_HUNG)
        child->cause = BOARD_END_ASKED; /* the end that it stands for was counted */
    crew_dismiss(m, child);
    return true;
}

/* The successor of one that leaves does in its stead. */
static void take_place(struct master *m, struct child *new)
{
    struct generation *g = new->generation;
    if (!new->is_leaving) {
        new->is_heir = true;
        g->plan.healthy = STANDBY_HEALTHY_MS;
        crew_step(m, g, PLAN_SUPERSEDED, new->slot);
        return;
    }
    new->cause = BOARD_END_ASKED;
    crew_dismiss(m, new);
}

void succession_supersede(struct master *m, pid_t pid)
{
    struct child *child = children_by_pid(&m->children, pid);
    if (!child || !succession_is_possible(child))
        return;
    struct generation *g = child->generation;
    int slot = child->slot;
    bool is_leaving = child->is_leaving;
    bool is_stalled = is_leaving || g->plan.slots[slot].state == SLOT_STALLED;
    if (!is_stalled || lives_superseded(m, g, slot))
        return;
    struct child *new = await(m, pid, true);
    if (!new)
        return;
    child = children_by_pid(&m->children, pid);
    child->is_superseded = new->standby.is_parted = true;
    child->is_hung |= !child->is_stopped;
    child->is_hurried = new->is_leaving = is_leaving;
    child->cause = BOARD_END_HUNG;
    log_warnx("worker %d (pid %d) is superseded; its standby goes on", slot, (int)pid);
    tell_news(m, new);
    take_place(m, new);
    int64_t limit = g->plan.hang_timeout;
    int64_t late = limit ? m->now + limit : CLOCK_NEVER;
    child = children_by_pid(&m->children, pid);
    child->deadline = is_leaving ? clock_sooner(child->deadline, late) : late;
}

void succession_wake(struct master *m, struct child *child)
{
    struct heritage *heritage = &child->heritage;
    struct standby_order order = {.from = heritage->from,
                                  .row = child->row,
                                  .is_hung = heritage->is_hung,
                                  .is_held = !takeover_is_done(m)};
    if (heritage->end < 0)
        return;
    desk_clear(standbys_desk(m, child->row));
    int sent = pass_send(child->standby.channel, &order, sizeof order, &heritage->end, 1);
    close(heritage->end);
    heritage->end = -1;
    heritage->until = m->now + STANDBY_WAIT_MS;
    child->begun = clock_ms();
    if (sent < 0)
        succession_give_up(m, child, "does not listen");
}

void succession_give_up(struct master *m, struct child *child, const char *why)
{
    (void)m;
    if (why)
        log_warnx("worker %d: its standby (pid %d) %s, and is killed", child->slot,
                  (int)child->standby.pid, why);
    child->heritage.until = CLOCK_NEVER; /* its end comes, and decides */
    if (child->standby.pid > 0)
        kill(child->standby.pid, SIGKILL);
}

/* ------------------------------------------------------------------------- and was made */

void succession_named(struct master *m, struct child *child, int pid)
{
    if (!child->is_awaited || child->heritage.end >= 0)
        return;
    if (!standbys_is_new_child(m, pid)) {
        log_debug("worker %d: pid %d is none that its standby has made", child->slot, pid);
        return;
    }
    child->pid = pid;
    child->is_awaited = false;
    log_debug("worker %d: made by its standby as pid %d", child->slot, pid);
    if (child->is_killed) {
        kill(child->pid, SIGKILL);
        standbys_dismiss(m, child);
    } else if (child->standby.pid == 0) {
        standbys_relieve(m, child);
    }
}

void succession_ready(struct master *m, struct child *child, int kept)
{
    int64_t us = clock_us() - child->heritage.since_us;
    int count = kept < 0 ? 0 : kept > DESK_FDS_MAX ? DESK_FDS_MAX : kept;
    log_info("worker %d (pid %d) goes on with %d connection%s, after %lld.%lld ms", child->slot,
             (int)child->pid, count, count == 1 ? "" : "s", (long long)(us / 1000),
             (long long)(us / 100 % 10));
    board_pass(&m->board->rows[child->heritage.from], (uint64_t)count);
    child->heritage.from = -1;
    child->heritage.until = CLOCK_NEVER;
    record_succession(m, child->heritage.is_hung);
    record_kept(m, count);
}

/* It is to be forked like any other. */
static void drop(struct master *m, struct child *child)
{
    struct generation *g = child->generation;
    struct child gone = *child;
    standbys_close(m, child);
    loop_delete(m->loop, child->channel);
    children_remove(&m->children, child);
    g->children--;
    if (gone.is_leaving)
        return;
    g->plan.healthy = RESPAWN_HEALTHY_MS;
    crew_step(m, g, PLAN_ENDED, gone.slot);
}

/* Its standby is gone. A successor that was made may not have said so, but has before it steps. */
static void settle(struct master *m, int channel)
{
    crew_hear(m, channel);
    struct child *child = children_by_channel(&m->children, channel);
    if (!child || !child->is_awaited)
        return;
    struct desk *from = standbys_desk(m, child->heritage.from);
    if (!desk_step(from, TENURE_PASSING, TENURE_RETURNED) && desk_tenure(from) == TENURE_PASSED) {
        crew_hear(m, channel);
        child = children_by_channel(&m->children, channel);
    }
    if (child && child->is_awaited)
        drop(m, child);
}

void succession_bereave(struct master *m, struct child *child)
{
    int channel = child->channel;
    if (child->standby.channel >= 0)
        succession_hear(m, child->standby.channel); /* its last words */
    standbys_close(m, child);
    settle(m, channel);
}

void succession_hear(struct master *m, int standby)
{
    char why[96];
    struct standby_report report;
    ssize_t n = pass_receive(standby, &report, sizeof report, NULL, NULL);
    if (n == 0 || (n < 0 && errno == ECONNRESET))
        loop_delete(m->loop, standby); /* gone: SIGCHLD tells how */
    if (n != (ssize_t)sizeof report)
        return;
    for (size_t i = 0; i < m->children.count; i++) {
        struct child *child = &m->children.list[i];
        if (child->standby.channel != standby || !child->is_awaited)
            continue;
        if (report.pid > 0) {
            succession_named(m, child, report.pid);
            return;
        }
        if (child->heritage.until == CLOCK_NEVER)
            return; /* it was given up before */
        int cause = report.pid == 0 || report.pid < -INT16_MAX ? EINVAL : -report.pid;
        snprintf(why, sizeof why, "cannot make a successor: %s", strerror(cause));
        succession_give_up(m, child, why);
        return;
    }
}

void succession_ask(struct master *m, pid_t pid)
{
    m->succession.reaped = pid;
    for (size_t i = 0; i < m->children.count; i++) {
        const struct child *child = &m->children.list[i];
        int standby = child->standby.channel;
        if (child->is_awaited && standby >= 0)
            succession_hear(m, standby);
        else if (standby >= 0 && child->standby.pid == 0)
            crew_hear(m, child->channel);
        if (i < m->children.count && m->children.list[i].is_awaited)
            crew_hear(m, m->children.list[i].channel);
    }
    m->succession.reaped = 0;
}

void succession_forget(struct master *m, const struct child *gone)
{
    struct order order = {.kind = ORDER_ALONE, .slot = gone->slot};
    if (gone->heritage.from >= 0 && standbys_desk(m, gone->heritage.from)) /* it was not ready */
        desk_step(standbys_desk(m, gone->heritage.from), TENURE_PASSING, TENURE_RETURNED);
    for (size_t i = 0; gone->is_superseded && i < m->children.count; i++) {
        struct child *child = &m->children.list[i];
        if (!child->is_twinned || child->generation != gone->generation ||
            child->slot != gone->slot)
            continue;
        crew_send(child, &order, NULL, 0);
        child->is_twinned = false;
    }
}

/* --------------------------------------------------------------- those that were superseded */

/* Without a --hang-timeout, one that does not hear the order is not waited for longer than any. */
static int64_t leaving_deadline(const struct master *m, const struct child *child)
{
    const struct settings *s = child->generation->settings;
    int64_t drain = s->drain_timeout ? m->now + s->drain_timeout + DRAIN_GRACE_MS : CLOCK_NEVER;
    bool is_stalled = child->is_hung || child->is_stopped;
    return is_stalled && !s->hang_timeout ? clock_sooner(drain, m->now + ABORT_GRACE_MS) : drain;
}

/* Does its server go on, with a worker in its slot? */
static bool is_wanted(const struct child *child)
{
    const struct plan *plan = &child->generation->plan;
    return !plan->is_stopping && plan->slots[child->slot].state != SLOT_EMPTY;
}

static bool is_to_hurry(const struct child *child)
{
    return child->is_superseded && !child->is_aborted && !child->is_hurried && !is_wanted(child);
}

void succession_back(struct master *m, struct child *child)
{
    if (!child->is_superseded || child->is_aborted)
        return;
    log_info("worker %d (pid %d) is back; it finishes what is its own, and leaves", child->slot,
             (int)child->pid);
    child->is_hung = false;
    child->cause = BOARD_END_ASKED;
    child->deadline = child->is_hurried ? leaving_deadline(m, child) : CLOCK_NEVER;
}

static bool is_back(const struct child *child)
{
    return child->is_superseded && child->cause == BOARD_END_ASKED;
}

/* In what it had in hand, where nobody else waits for it. */
static bool hangs_again(const struct master *m, const struct child *child)
{
    int64_t limit = child->generation->plan.hang_timeout;
    uint64_t since = board_get(&m->board->rows[child->row].busy_since);
    return is_back(child) && !child->is_hung && !child->is_stopped && !child->is_aborted && limit &&
           since && m->now - (int64_t)since >= limit;
}

void succession_stopped(struct master *m, struct child *child)
{
    int64_t limit = child->generation->plan.hang_timeout;
    if (!is_back(child) || child->is_aborted || child->is_hurried)
        return;
    child->deadline = child->is_stopped && limit ? m->now + limit : CLOCK_NEVER;
}

/* From here on it has no longer than any other that leaves. */
static void hurry(const struct master *m, struct child *child)
{
    child->is_hurried = true;
    child->deadline = clock_sooner(child->deadline, leaving_deadline(m, child));
    crew_hurry_one(m, child);
}

void succession_late(struct master *m, struct child *child)
{
    if (child->is_awaited) {
        succession_give_up(m, child, "has made no successor in time");
        return;
    }
    bool is_stalled = child->is_hung || child->is_stopped;
    if (is_stalled && !child->is_aborted && is_wanted(child)) {
        log_warnx("worker %d (pid %d) %s for %lld ms, and is ended by SIGABRT", child->slot,
                  (int)child->pid, child->is_stopped ? "was stopped" : "has hung",
                  (long long)child->generation->plan.hang_timeout);
        child->is_aborted = true;
        child->deadline = m->now + ABORT_GRACE_MS;
        kill(child->pid, SIGABRT);
        if (child->is_stopped)
            kill(child->pid, SIGCONT); /* so that it is heard */
        return;
    }
    log_warnx("worker %d (pid %d) %s", child->slot, (int)child->pid,
              child->is_aborted ? "is killed" : "has not left in time and is ended");
    child->cause = child->is_aborted ? BOARD_END_HUNG : BOARD_END_LATE;
    kill(child->pid, SIGKILL);
}

/* ------------------------------------------------------------------------------ the rest */

/* Its slot is to have no worker any more, and no plan says that of one that is not there yet. */
static bool is_unwanted(const struct child *child)
{
    return child->is_awaited && child->heritage.end >= 0 && !child->is_leaving &&
           child->generation->plan.slots[child->slot].state == SLOT_EMPTY;
}

/* Who is made has the tenure in its first moment, unless it was stopped before: then the worker
 * that it succeeds may be waiting for what comes of that, with all its clients. */
static void end_unbegun(const struct master *m, struct child *child)
{
    const struct desk *from = standbys_desk(m, child->heritage.from);
    child->heritage.until = CLOCK_NEVER;
    if (desk_tenure(from) != TENURE_PASSING)
        return;
    log_warnx("worker %d (pid %d) has not begun after %d ms, and is killed", child->slot,
              (int)child->pid, STANDBY_WAIT_MS);
    child->cause = BOARD_END_START;
    kill(child->pid, SIGKILL);
}

static void end_late(struct master *m, struct child *child)
{
    char why[64];
    if (!child->is_awaited) {
        end_unbegun(m, child);
        return;
    }
    snprintf(why, sizeof why, "has made no successor after %d ms", STANDBY_WAIT_MS);
    succession_give_up(m, child, why);
}

static void look_at(struct master *m, struct child *child)
{
    if (is_unwanted(child))
        crew_dismiss(m, child);
    if (is_to_hurry(child))
        hurry(m, child);
    if (hangs_again(m, child)) {
        child->is_hung = true;
        child->deadline = m->now;
    }
    if (child->heritage.until <= m->now)
        end_late(m, child);
}

/* A step may add children, and moves them then: they are looked up by their places. */
void succession_tick(struct master *m)
{
    for (size_t i = 0; i < m->children.count; i++)
        look_at(m, &m->children.list[i]);
}

int64_t succession_next(const struct master *m)
{
    int64_t next = CLOCK_NEVER;
    for (size_t i = 0; i < m->children.count; i++) {
        const struct child *child = &m->children.list[i];
        bool is_due = is_unwanted(child) || is_to_hurry(child);
        next = clock_sooner(next, is_due ? m->now : child->heritage.until);
    }
    return next;
}
