#include "master/plan.h"

#include <string.h>

#include "base/clock.h"

void plan_init(struct plan *plan, int64_t start_timeout)
{
    memset(plan, 0, sizeof *plan);
    plan->start_timeout = start_timeout;
}

int plan_add_slot(struct plan *plan)
{
    if (plan->slot_count == SLOTS_MAX)
        return -1;
    plan->slots[plan->slot_count] = (struct plan_slot){.adopter = -1, .deadline = CLOCK_NEVER};
    return plan->slot_count++;
}

int64_t plan_delay(int ends)
{
    int64_t delay = RESPAWN_DELAY_MS;
    if (ends <= 1)
        return 0;
    for (int i = 2; i < ends && delay < RESPAWN_DELAY_MAX_MS; i++)
        delay *= 2;
    return delay < RESPAWN_DELAY_MAX_MS ? delay : RESPAWN_DELAY_MAX_MS;
}

int64_t plan_next(const struct plan *plan, int *slot)
{
    int64_t next = CLOCK_NEVER;
    for (int i = 0; i < plan->slot_count; i++)
        if (plan->slots[i].deadline < next) {
            next = plan->slots[i].deadline;
            *slot = i;
        }
    return next;
}

int plan_count(const struct plan *plan, enum slot_state state)
{
    int count = 0;
    for (int i = 0; i < plan->slot_count; i++)
        count += plan->slots[i].state == state;
    return count;
}

/* ------------------------------------------------------------------------------- the rules */

/* What a rule works on. */
struct step {
    struct plan *plan;
    struct plan_slot *slot;
    int number;
    int64_t now;
    struct plan_actions *actions;
};

typedef void rule(struct step *step);

static void act(struct plan_actions *actions, enum plan_deed deed, int slot, int by)
{
    actions->list[actions->count++] = (struct plan_action){.deed = deed, .slot = slot, .by = by};
}

static void enter(struct step *step, enum slot_state state, int64_t deadline)
{
    step->slot->state = state;
    step->slot->deadline = deadline;
}

static void spawn(struct step *step)
{
    int64_t limit = step->plan->start_timeout;
    enter(step, SLOT_STARTING, limit ? step->now + limit : CLOCK_NEVER);
    act(step->actions, PLAN_SPAWN, step->number, -1);
}

static void spawn_afresh(struct step *step)
{
    step->slot->ends = 0;
    spawn(step);
}

static void dismiss(struct step *step)
{
    act(step->actions, PLAN_DISMISS, step->number, -1);
    enter(step, SLOT_EMPTY, CLOCK_NEVER);
}

static void replace(struct step *step)
{
    act(step->actions, PLAN_DISMISS, step->number, -1);
    spawn_afresh(step);
}

static void forget(struct step *step)
{
    enter(step, SLOT_EMPTY, CLOCK_NEVER);
}

static void go_live(struct step *step)
{
    step->slot->live_since = step->now;
    enter(step, SLOT_LIVE, CLOCK_NEVER);
}

static void go_on(struct step *step)
{
    enter(step, SLOT_LIVE, CLOCK_NEVER);
}

static void halt(struct step *step)
{
    enter(step, SLOT_STOPPED, CLOCK_NEVER);
}

/* It has not said that it is ready in time. Its end, which comes as an event, does the rest. */
static void kill_late(struct step *step)
{
    step->slot->deadline = CLOCK_NEVER;
    act(step->actions, PLAN_KILL, step->number, -1);
}

static void refuse(struct step *step)
{
    enter(step, SLOT_REFUSED, CLOCK_NEVER);
}

/* The first time at once: clients of a worker that died once must not wait. */
static void respawn(struct step *step)
{
    struct plan_slot *slot = step->slot;
    bool was_live = slot->state == SLOT_LIVE || slot->state == SLOT_STOPPED;
    if (was_live && step->now - slot->live_since >= RESPAWN_HEALTHY_MS)
        slot->ends = 0;
    slot->ends++;
    int64_t delay = plan_delay(slot->ends);
    if (delay == 0)
        spawn(step);
    else
        enter(step, SLOT_WAITING, step->now + delay);
}

static rule *const rules[SLOT_STATES][PLAN_EVENTS] = {
    [SLOT_EMPTY] = {[PLAN_WANT] = spawn_afresh},
    [SLOT_STARTING] = {[PLAN_UNWANT] = dismiss,
                       [PLAN_RENEW] = replace,
                       [PLAN_READY] = go_live,
                       [PLAN_LEAVING] = replace,
                       [PLAN_ENDED] = respawn,
                       [PLAN_MISFIT] = refuse,
                       [PLAN_DUE] = kill_late},
    [SLOT_LIVE] = {[PLAN_UNWANT] = dismiss,
                   [PLAN_RENEW] = replace,
                   [PLAN_LEAVING] = replace,
                   [PLAN_ENDED] = respawn,
                   [PLAN_MISFIT] = refuse,
                   [PLAN_STOPPED] = halt},
    [SLOT_STOPPED] = {[PLAN_UNWANT] = dismiss,
                      [PLAN_RENEW] = replace,
                      [PLAN_LEAVING] = replace,
                      [PLAN_ENDED] = respawn,
                      [PLAN_MISFIT] = refuse,
                      [PLAN_CONTINUED] = go_on},
    [SLOT_WAITING] = {[PLAN_UNWANT] = forget, [PLAN_RENEW] = spawn_afresh, [PLAN_DUE] = spawn},
    [SLOT_REFUSED] = {[PLAN_UNWANT] = forget, [PLAN_RENEW] = spawn_afresh},
};

/* --------------------------------------------------------------------------- the adoptions */

static bool is_live(const struct plan *plan, int slot)
{
    return slot >= 0 && plan->slots[slot].state == SLOT_LIVE;
}

/* The live slot with the fewest adopted ones; the next one up in a tie, so that they spread. */
static int choose_adopter(const struct plan *plan, int slot)
{
    int load[SLOTS_MAX] = {0};
    int best = -1;
    for (int i = 0; i < plan->slot_count; i++)
        if (plan->slots[i].adopter >= 0)
            load[plan->slots[i].adopter]++;
    for (int i = 1; i < plan->slot_count; i++) {
        int candidate = (slot + i) % plan->slot_count;
        if (is_live(plan, candidate) && (best < 0 || load[candidate] < load[best]))
            best = candidate;
    }
    return best;
}

static void release(struct plan *plan, int slot, struct plan_actions *actions)
{
    int by = plan->slots[slot].adopter;
    plan->slots[slot].adopter = -1;
    /* A stopped adopter reads it when it goes on. One that is gone needs no word. */
    if (by >= 0 && (is_live(plan, by) || plan->slots[by].state == SLOT_STOPPED))
        act(actions, PLAN_RELEASE, slot, by);
}

/* Makes the adoptions what the states ask for. */
static void settle(struct plan *plan, struct plan_actions *actions)
{
    for (int i = 0; i < plan->slot_count; i++) {
        struct plan_slot *slot = &plan->slots[i];
        if (is_live(plan, slot->adopter) && !is_live(plan, i))
            continue;
        release(plan, i, actions);
        if (is_live(plan, i))
            continue;
        slot->adopter = choose_adopter(plan, i);
        if (slot->adopter >= 0)
            act(actions, PLAN_ADOPT, i, slot->adopter);
    }
}

/* EPOLLEXCLUSIVE: a wake-up that was given to a worker which then died or stopped is lost. */
static void rearm(const struct plan *plan, struct plan_actions *actions)
{
    for (int i = 0; i < plan->slot_count; i++)
        if (is_live(plan, i))
            act(actions, PLAN_REARM, i, -1);
}

void plan_step(struct plan *plan, enum plan_event event, int slot, int64_t now,
               struct plan_actions *actions)
{
    struct plan_slot *s = &plan->slots[slot];
    struct step step = {.plan = plan, .slot = s, .number = slot, .now = now, .actions = actions};
    bool was_live = s->state == SLOT_LIVE;
    rule *apply = rules[s->state][event];
    actions->count = 0;
    if (apply && (event == PLAN_UNWANT || !plan->is_stopping))
        apply(&step);
    if (plan->is_stopping)
        return;
    settle(plan, actions);
    if (was_live && (event == PLAN_ENDED || event == PLAN_MISFIT || event == PLAN_STOPPED))
        rearm(plan, actions);
}
