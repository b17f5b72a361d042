#include "master/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/admin.h"
#include "master/leavers.h"
#include "master/pulse.h"
#include "master/recruit.h"
#include "master/slots.h"
#include "master/standbys.h"
#include "master/steering.h"
#include "master/succession.h"
#include "os/pass.h"

/* ------------------------------------------------------------------------- talking to workers */

void crew_send(const struct child *child, const struct order *order, const int *fds,
               size_t fd_count)
{
    if (pass_send(child->channel, order, sizeof *order, fds, fd_count) < 0 && errno != EPIPE &&
        errno != ECONNRESET) /* dead: that is dealt with when it is reaped */
        log_warn("cannot reach worker %d (pid %d)", child->slot, (int)child->pid);
}

static void order_slot(const struct master *m, const struct generation *g, int worker,
                       enum order_kind kind, int slot)
{
    const struct child *child = children_of_slot(&m->children, g, worker);
    struct order order = {.kind = kind, .slot = slot};
    if (child)
        crew_send(child, &order, NULL, 0);
}

/* Without a socket that workers share, none has a wake-up that was another's. */
static bool has_shared(const struct generation *g)
{
    for (int i = 0; i < g->doors.address_count; i++)
        if (g->doors.shared[i] >= 0)
            return true;
    return false;
}

static void order_rearm(const struct master *m, const struct generation *g, int slot)
{
    if (has_shared(g))
        order_slot(m, g, slot, ORDER_REARM, slot);
}

/* ------------------------------------------------------------------------------ the actions */

static void spawn(struct master *m, struct generation *g, int slot)
{
    struct child *child = children_of_slot(&m->children, g, slot);
    if (child && child->is_awaited) {
        succession_wake(m, child);
        return;
    }
    enum recruited how = recruit_fork(m, g, slot);
    child = children_of_slot(&m->children, g, slot);
    if (how == RECRUIT_FORKED || standbys_forgo_relief(m, child))
        return;
    log_warn("cannot fork worker %d", slot);
    if (how == RECRUIT_LACKS && standbys_make_room(m, slot))
        crew_step(m, g, PLAN_LACKING, slot);
    else
        crew_step(m, g, child ? PLAN_HEIR_ENDED : PLAN_ENDED, slot);
}

/* How long one that does not hear the order is waited for. */
static int64_t stalled_limit(const struct child *child)
{
    int64_t limit = child->generation->settings->hang_timeout;
    return limit ? limit : ABORT_GRACE_MS;
}

/* One that is still starting, of a generation that was given up, has no longer than any start. */
static int64_t limit_start(const struct child *child, int64_t deadline)
{
    const struct plan_slot *slot = &child->generation->plan.slots[child->slot];
    bool is_starting = !child->is_ready && !child->is_heir && slot->state == SLOT_STARTING;
    return is_starting && slot->deadline < deadline ? slot->deadline : deadline;
}

/* Addresses whose sockets outlive the worker's server: lent ones, and at a stop those that the
 * service manager has, too. */
static uint32_t kept_of(const struct master *m, const struct generation *g)
{
    uint32_t kept = 0;
    for (int i = 0; i < g->doors.address_count; i++)
        if (g->doors.is_lent[i] || (m->is_stopping && store_is_open(&m->store)))
            kept |= UINT32_C(1) << i;
    return kept;
}

/* Where a successor takes its place, it was to be replaced for a reason that is known. */
static enum board_end cause_of(const struct master *m, const struct child *child, bool has_heir)
{
    if (child->cause == BOARD_END_HUNG)
        return BOARD_END_HUNG;
    if (m->is_stopping)
        return BOARD_END_STOP;
    if (m->is_handed_over || child->generation != m->present)
        return BOARD_END_RELOAD;
    return has_heir ? child->cause : BOARD_END_SCALE;
}

/* One that is starting in the same slot reads its inbox, as who adopts that does. */
static void find_heirs(const struct plan *plan, int slot, struct slot_set *heirs)
{
    plan_serving(plan, heirs);
    if (slot < plan->slot_count && plan->slots[slot].state == SLOT_STARTING)
        slot_set_add(heirs, slot);
}

static void order_to_leave(const struct master *m, const struct child *child, uint32_t closing,
                           bool is_unhurried)
{
    struct order order = {.kind = m->is_stopping ? ORDER_STOP : ORDER_LEAVE,
                          .slot = child->slot,
                          .closing = closing,
                          .kept = kept_of(m, child->generation),
                          .is_filtered = m->is_filtered,
                          .is_unhurried = is_unhurried};
    if (m->is_handed_over)
        order.heirs = m->heirs;
    else if (!m->is_stopping)
        find_heirs(&m->present->plan, child->slot, &order.heirs);
    crew_send(child, &order, NULL, 0);
}

static void dismiss_child(struct master *m, struct child *child, uint32_t closing, bool has_heir)
{
    int64_t drain = child->generation->settings->drain_timeout;
    child->cause = cause_of(m, child, has_heir);
    child->is_leaving = true;
    child->closing = closing;
    child->deadline = drain ? m->now + drain + DRAIN_GRACE_MS : CLOCK_NEVER;
    if ((child->is_stopped || child->is_hung) && m->now + stalled_limit(child) < child->deadline)
        child->deadline = m->now + stalled_limit(child);
    child->deadline = limit_start(child, child->deadline);
    order_to_leave(m, child, closing, child->is_superseded);
    if (child->is_awaited)
        succession_wake(m, child); /* so that it leaves what it has to others */
    else
        leavers_begin(m, child);
}

void crew_hurry_one(const struct master *m, const struct child *child)
{
    order_to_leave(m, child, 0, false);
}

void crew_dismiss(struct master *m, struct child *child)
{
    dismiss_child(m, child, child->closing, child->cause != BOARD_ENDS);
}

/* Its successor, if there is one, takes its place. */
static void dismiss(struct master *m, struct generation *g, int slot)
{
    struct child *child = children_of_slot(&m->children, g, slot);
    struct child *heir = children_heir_of_slot(&m->children, g, slot);
    if (heir)
        heir->is_heir = false;
    if (child)
        dismiss_child(m, child, 0, heir != NULL);
}

static void kill_late(struct master *m, const struct generation *g, int slot)
{
    struct child *child = children_heir_of_slot(&m->children, g, slot);
    if (!child)
        child = children_of_slot(&m->children, g, slot);
    if (!child)
        return;
    if (child->is_awaited) {
        succession_give_up(m, child, "was not made in time");
        return;
    }
    child->cause = child->is_ready ? BOARD_END_HUNG : BOARD_END_START;
    if (child->is_ready)
        log_warnx("worker %d (pid %d) is killed", slot, (int)child->pid);
    else
        log_warnx("worker %d (pid %d) is not ready after %lld ms and is ended", slot,
                  (int)child->pid, (long long)g->plan.start_timeout);
    kill(child->pid, SIGKILL);
}

static void abort_hung(const struct master *m, const struct generation *g, int slot)
{
    struct child *child = children_of_slot(&m->children, g, slot);
    if (!child)
        return;
    child->cause = BOARD_END_HUNG;
    log_warnx("worker %d (pid %d) %s for %lld ms, and is ended by SIGABRT", slot, (int)child->pid,
              child->is_stopped ? "was stopped" : "has hung", (long long)g->plan.hang_timeout);
    kill(child->pid, SIGABRT);
    if (child->is_stopped)
        kill(child->pid, SIGCONT); /* so that it is heard */
}

static void act(struct master *m, struct generation *g, const struct plan_action *action)
{
    int slot = action->slot;
    switch (action->deed) {
    case PLAN_SPAWN: spawn(m, g, slot); break;
    case PLAN_KILL: kill_late(m, g, slot); break;
    case PLAN_ABORT: abort_hung(m, g, slot); break;
    case PLAN_DISMISS: dismiss(m, g, slot); break;
    case PLAN_ADOPT: order_slot(m, g, action->by, ORDER_ADOPT, slot); break;
    case PLAN_RELEASE: order_slot(m, g, action->by, ORDER_RELEASE, slot); break;
    case PLAN_REARM: order_rearm(m, g, slot); break;
    case PLAN_GIVE_UP: m->on_give_up(m, slot); break;
    }
}

static void act_all(struct master *m, struct generation *g, const struct plan_actions *actions)
{
    for (int i = 0; i < actions->count; i++)
        act(m, g, &actions->list[i]);
    steering_update(m);
}

void crew_step(struct master *m, struct generation *g, enum plan_event event, int slot)
{
    struct plan_actions actions;
    plan_step(&g->plan, event, slot, m->now, &actions);
    act_all(m, g, &actions);
}

void crew_take_over(struct master *m, struct generation *g)
{
    struct plan_actions actions;
    plan_take_over(&g->plan, &actions);
    act_all(m, g, &actions);
}

void crew_dismiss_all(struct master *m, struct generation *g, uint32_t closing)
{
    for (size_t i = 0; i < m->children.count; i++)
        if (m->children.list[i].generation == g && !m->children.list[i].is_leaving)
            dismiss_child(m, &m->children.list[i], closing, false);
}

/* ----------------------------------------------------------------------- what workers report */

/* It has watched the shared sockets for a while, and another that ended or hung meanwhile may have
 * had a wake-up that nobody passed on to it. */
static void rearm_new(const struct child *child)
{
    const struct order order = {.kind = ORDER_REARM, .slot = child->slot};
    if (has_shared(child->generation))
        crew_send(child, &order, NULL, 0);
}

static void tell_ready(const struct master *m, const struct child *child)
{
    /* A new generation's are told together, by their start's or reload's line. */
    bool is_alone = m->is_announced && child->generation == m->present;
    void (*tell)(const char *format, ...) = is_alone ? log_info : log_debug;
    tell("worker %d (pid %d) accepts, after %lld ms", child->slot, (int)child->pid,
         (long long)child->start_ms);
}

/* `kept`: connections that it goes on with, if a standby has made it. */
static void on_ready(struct master *m, struct child *child, int kept)
{
    struct generation *g = child->generation;
    int slot = child->slot;
    if (child->is_awaited || (child->is_leaving && child->heritage.from < 0))
        return; /* nobody knows yet who it is; or it was told to leave before */
    child->is_ready = true;
    child->start_ms = clock_ms() - child->begun;
    if (child->heritage.from >= 0)
        succession_ready(m, child, kept);
    else
        tell_ready(m, child);
    if (child->is_leaving) {
        leavers_begin(m, child);
        return;
    }
    rearm_new(child);
    crew_step(m, g, PLAN_READY, slot);
    m->on_ready(m, g);
}

void crew_wake_others(const struct master *m, const struct child *child)
{
    struct order order = {.kind = ORDER_REARM};
    for (size_t i = 0; i < m->children.count; i++) {
        const struct child *other = &m->children.list[i];
        order.slot = other->slot;
        if (other != child && other->is_ready && !other->is_leaving &&
            has_shared(other->generation))
            crew_send(other, &order, NULL, 0);
    }
}

static void begin_to_replace(struct master *m, struct child *child, enum board_end cause,
                             const char *why)
{
    if (child->is_leaving)
        return;
    child->cause = cause;
    child->is_relieved = false;
    m->on_leaving(m, child, why);
}

static void heed(struct master *m, struct child *child, const struct report *report)
{
    switch (report->kind) {
    case REPORT_READY: on_ready(m, child, report->count); break;
    case REPORT_FAILED:
        memcpy(child->why, report->why, sizeof child->why);
        child->why[sizeof child->why - 1] = '\0';
        break;
    case REPORT_LEAVING: begin_to_replace(m, child, BOARD_END_ASKED, report->why); break;
    case REPORT_SPENT: begin_to_replace(m, child, BOARD_END_SPENT, report->why); break;
    case REPORT_STRANDED: crew_wake_others(m, child); break;
    case REPORT_AWAKE: pulse_wake(m); break;
    case REPORT_LOGS:
        child->is_reopening &= report->count != m->logs.number;
        logs_look(m);
        break;
    case REPORT_STANDBY: standbys_told(m, child, report); break;
    case REPORT_BORN: succession_named(m, child, report->count); break;
    case REPORT_BACK: succession_back(m, child); break;
    case REPORT_GIVEN: leavers_given(m, child); break;
    case REPORT_CUT: m->cut += (size_t)report->count; break;
    }
}

/* Reads all that it has said. A step may add children, so it is looked up anew each time. */
void crew_hear(struct master *m, int channel)
{
    struct report report;
    for (;;) {
        struct child *child = children_by_channel(&m->children, channel);
        if (!child)
            return; /* what it said has had it reaped; the number may be another's by now */
        ssize_t n = pass_receive(channel, &report, sizeof report, NULL, NULL);
        if (n < 0 && errno == ECONNRESET)
            continue; /* it ended with orders unread; what it had said comes behind that */
        if (n != (ssize_t)sizeof report) {
            if (n == 0) /* gone: SIGCHLD tells how */
                loop_delete(m->loop, channel);
            return;
        }
        report.why[sizeof report.why - 1] = '\0';
        heed(m, child, &report);
    }
}

/* ------------------------------------------------------------------------------ the whole */

void crew_hurry(struct master *m)
{
    for (size_t i = 0; i < m->children.count; i++) {
        const struct child *child = &m->children.list[i];
        struct order order = {.kind = ORDER_STOP, .slot = child->slot};
        if (child->is_leaving)
            crew_send(child, &order, NULL, 0);
    }
}

void crew_begin(struct master *m)
{
    for (size_t i = 0; i < m->children.count; i++) {
        const struct child *child = &m->children.list[i];
        struct order order = {.kind = ORDER_BEGIN, .slot = child->slot};
        crew_send(child, &order, NULL, 0);
    }
}

void crew_tell_doors(struct master *m, int slot)
{
    int fds[ADDRESSES_MAX + INBOX_ENDS];
    struct order order = {.kind = ORDER_DOORS, .slot = slot};
    size_t count = slots_own(&m->present->doors, slot, fds);
    for (size_t i = 0; i < m->children.count; i++)
        if (m->children.list[i].generation == m->present && !m->children.list[i].is_leaving)
            crew_send(&m->children.list[i], &order, fds, count);
}

void crew_tell_logs(struct master *m, const struct generation *g, struct order *order,
                    const int *fds, size_t count)
{
    for (size_t i = 0; i < m->children.count; i++) {
        struct child *child = &m->children.list[i];
        if (child->generation != g)
            continue;
        order->slot = child->slot;
        crew_send(child, order, fds, count);
        child->is_reopening = true;
    }
}

int crew_size(const struct generation *g)
{
    return g->plan.slot_count - plan_count(&g->plan, SLOT_EMPTY);
}

void crew_end_late(struct master *m)
{
    for (size_t i = 0; i < m->children.count; i++) {
        struct child *child = &m->children.list[i];
        if (child->deadline > m->now)
            continue;
        child->deadline = CLOCK_NEVER;
        if (child->is_awaited || child->is_superseded) {
            succession_late(m, child);
            continue;
        }
        log_warnx("worker %d (pid %d) has not left in time and is ended", child->slot,
                  (int)child->pid);
        standbys_dismiss(m, child); /* nor is anybody else to */
        kill(child->pid, SIGKILL);
        child->cause = BOARD_END_LATE;
    }
}

void crew_kill(struct master *m)
{
    admin_kill(m);
    for (size_t i = 0; i < m->children.count; i++) {
        struct child *child = &m->children.list[i];
        child->is_killed = child->is_leaving = true;
        child->cause = BOARD_END_STOP;
        if (child->is_awaited) {
            succession_give_up(m, child, NULL);
            continue;
        }
        kill(child->pid, SIGKILL);
        standbys_dismiss(m, child);
    }
}
