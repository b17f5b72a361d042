#include "master/plan.h"

#include <string.h>

#include "base/clock.h"

void plan_init(struct plan *plan, int64_t start_timeout, int64_t hang_timeout)
{
    memset(plan, 0, sizeof *plan);
    plan->start_timeout = start_timeout;
    plan->hang_timeout = hang_timeout;
    plan->healthy = RESPAWN_HEALTHY_MS;
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
    if (plan->is_stopping) /* a deadline would be due for ever, since PLAN_DUE is ignored */
        return next;
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

static bool is_live(const struct plan_slot *slot)
{
    return slot->state == SLOT_LIVE || slot->state == SLOT_RELIEVED;
}

static bool serves(const struct plan *plan, int slot)
{
    return slot >= 0 && is_live(&plan->slots[slot]) && !plan->slots[slot].is_away;
}

int plan_serving(const struct plan *plan, struct slot_set *serving)
{
    int count = 0;
    *serving = (struct slot_set){0};
    for (int i = 0; i < plan->slot_count; i++)
        if (serves(plan, i)) {
            slot_set_add(serving, i);
            count++;
        }
    return count;
}

bool plan_is_whole(const struct plan *plan)
{
    for (int i = 0; i < plan->slot_count; i++)
        if (plan->slots[i].state != SLOT_EMPTY && !is_live(&plan->slots[i]))
            return false;
    return true;
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
    if (is_live(step->slot))
        return;
    step->slot->is_away = false;
    if (state != SLOT_STALLED)
        step->slot->is_spent = false;
}

static int64_t after(const struct step *step, int64_t limit)
{
    return limit ? step->now + limit : CLOCK_NEVER;
}

static void spawn(struct step *step)
{
    enter(step, SLOT_STARTING, after(step, step->plan->start_timeout));
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

/* The successor starts first, so that there is somebody to take over what the worker holds. */
static void relieve(struct step *step)
{
    step->slot->is_spent = true;
    enter(step, SLOT_RELIEVED, after(step, step->plan->start_timeout));
    act(step->actions, PLAN_SPAWN, step->number, -1);
}

static void dismiss_both(struct step *step)
{
    dismiss(step);
    dismiss(step);
}

static void forget(struct step *step)
{
    enter(step, SLOT_EMPTY, CLOCK_NEVER);
}

static void go_live(struct step *step)
{
    step->slot->live_since = step->now;
    step->slot->is_away = false;
    step->slot->is_spent = false;
    enter(step, SLOT_LIVE, CLOCK_NEVER);
}

static void go_on(struct step *step)
{
    if (step->slot->is_spent)
        relieve(step);
    else
        enter(step, SLOT_LIVE, CLOCK_NEVER);
}

/* It cannot be relieved before it goes on: until then the slot must not count as served. */
static void remember_spent(struct step *step)
{
    step->slot->is_spent = true;
}

/* What the worker that is dismissed had adopted its successor knows nothing of. */
static void hand_over(struct step *step)
{
    struct plan *plan = step->plan;
    act(step->actions, PLAN_DISMISS, step->number, -1);
    for (int i = 0; i < plan->slot_count; i++)
        if (plan->slots[i].adopter == step->number)
            plan->slots[i].adopter = -1;
    step->slot->ends = 0;
    go_live(step);
}

static void stall(struct step *step)
{
    enter(step, SLOT_STALLED, after(step, step->plan->hang_timeout));
}

/* The successor, which may be ready any moment, is the better one to wait for. */
static void give_way(struct step *step)
{
    int64_t deadline = step->slot->deadline;
    act(step->actions, PLAN_DISMISS, step->number, -1);
    enter(step, SLOT_STARTING, deadline);
}

/* A worker that was healthy has come to its end: the next one is the first of a row. */
static void begin_row(struct step *step)
{
    struct plan_slot *slot = step->slot;
    bool has_lived = slot->state != SLOT_STARTING && slot->state != SLOT_WAITING;
    if (has_lived && step->now - slot->live_since >= step->plan->healthy)
        slot->ends = 0;
}

/* Others have what it had adopted since it has stalled. It is no end yet. */
static void supersede(struct step *step)
{
    begin_row(step);
    act(step->actions, PLAN_DISMISS, step->number, -1);
    spawn(step);
}

static void abort_hung(struct step *step)
{
    enter(step, SLOT_ABORTED, step->now + ABORT_GRACE_MS);
    act(step->actions, PLAN_ABORT, step->number, -1);
}

/* It has had its time. */
static void dismiss_hung(struct step *step)
{
    act(step->actions, PLAN_KILL, step->number, -1);
    dismiss(step);
}

static void step_away(struct step *step)
{
    step->slot->is_away = true;
}

static void step_back(struct step *step)
{
    step->slot->is_away = false;
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
    if (step->plan->is_coming)
        act(step->actions, PLAN_GIVE_UP, step->number, -1);
}

/* How long the next one waits. The first comes at once: clients of a worker that died once must not
 * wait. */
static int64_t count_end(struct step *step)
{
    begin_row(step);
    step->slot->ends++;
    return plan_delay(step->slot->ends);
}

/* Its successor is there, or comes. */
static void count_loss(struct step *step)
{
    step->slot->ends++;
}

static void respawn(struct step *step)
{
    int64_t delay = count_end(step);
    if (step->plan->is_coming && step->slot->ends >= COMING_ENDS_MAX)
        refuse(step);
    else if (delay == 0)
        spawn(step);
    else
        enter(step, SLOT_WAITING, step->now + delay);
}

/* The successor is the slot's worker now. */
static void inherit(struct step *step)
{
    int64_t deadline = step->slot->deadline;
    count_end(step);
    enter(step, SLOT_STARTING, deadline);
}

static void relieve_later(struct step *step)
{
    step->slot->ends++;
    int64_t delay = plan_delay(step->slot->ends);
    enter(step, SLOT_LIVE, step->now + (delay > RESPAWN_DELAY_MS ? delay : RESPAWN_DELAY_MS));
}

/* That is no end of anything, and not counted. */
static void spawn_later(struct step *step)
{
    enter(step, SLOT_WAITING, step->now + RESPAWN_DELAY_MS);
}

static void relieve_soon(struct step *step)
{
    enter(step, SLOT_LIVE, step->now + RESPAWN_DELAY_MS);
}

static void stay(struct step *step)
{
    step->slot->is_spent = false;
    enter(step, SLOT_LIVE, CLOCK_NEVER);
}

static rule *const rules[SLOT_STATES][PLAN_EVENTS] = {
    [SLOT_EMPTY] = {[PLAN_WANT] = spawn_afresh},
    [SLOT_STARTING] = {[PLAN_UNWANT] = dismiss,
                       [PLAN_READY] = go_live,
                       [PLAN_ENDED] = respawn,
                       [PLAN_MISFIT] = refuse,
                       [PLAN_LOST] = count_loss,
                       [PLAN_LACKING] = spawn_later,
                       [PLAN_DUE] = kill_late},
    [SLOT_LIVE] = {[PLAN_UNWANT] = dismiss,
                   [PLAN_SPENT] = relieve,
                   [PLAN_ENDED] = respawn,
                   [PLAN_MISFIT] = refuse,
                   [PLAN_STALLED] = stall,
                   [PLAN_LOST] = count_loss,
                   [PLAN_AWAY] = step_away,
                   [PLAN_BACK] = step_back,
                   [PLAN_DUE] = relieve},
    [SLOT_RELIEVED] = {[PLAN_UNWANT] = dismiss_both,
                       [PLAN_READY] = hand_over,
                       [PLAN_ENDED] = inherit,
                       [PLAN_MISFIT] = inherit,
                       [PLAN_HEIR_ENDED] = relieve_later,
                       [PLAN_LACKING] = relieve_soon,
                       [PLAN_FORGONE] = stay,
                       [PLAN_STALLED] = give_way,
                       [PLAN_LOST] = count_loss,
                       [PLAN_AWAY] = step_away,
                       [PLAN_BACK] = step_back,
                       [PLAN_DUE] = kill_late},
    [SLOT_STALLED] = {[PLAN_UNWANT] = dismiss,
                      [PLAN_SPENT] = remember_spent,
                      [PLAN_ENDED] = respawn,
                      [PLAN_MISFIT] = refuse,
                      [PLAN_RECOVERED] = go_on,
                      [PLAN_SUPERSEDED] = supersede,
                      [PLAN_LOST] = count_loss,
                      [PLAN_DUE] = abort_hung},
    [SLOT_ABORTED] = {[PLAN_UNWANT] = dismiss_hung,
                      [PLAN_ENDED] = respawn,
                      [PLAN_MISFIT] = refuse,
                      [PLAN_LOST] = count_loss,
                      [PLAN_DUE] = kill_late},
    [SLOT_WAITING] = {[PLAN_UNWANT] = forget, [PLAN_LOST] = count_loss, [PLAN_DUE] = spawn},
    [SLOT_REFUSED] = {[PLAN_UNWANT] = forget},
};

/* --------------------------------------------------------------------------- the adoptions */

/* The serving slot with the fewest adopted ones; the next one up in a tie, so that they spread. */
static int choose_adopter(const struct plan *plan, int slot)
{
    int load[SLOTS_MAX] = {0};
    int best = -1;
    for (int i = 0; i < plan->slot_count; i++)
        if (plan->slots[i].adopter >= 0)
            load[plan->slots[i].adopter]++;
    for (int i = 1; i < plan->slot_count; i++) {
        int candidate = (slot + i) % plan->slot_count;
        if (serves(plan, candidate) && (best < 0 || load[candidate] < load[best]))
            best = candidate;
    }
    return best;
}

static void release(struct plan *plan, int slot, struct plan_actions *actions)
{
    int by = plan->slots[slot].adopter;
    plan->slots[slot].adopter = -1;
    /* A stalled adopter reads it when it goes on. One that is gone needs no word. */
    if (by >= 0 && (is_live(&plan->slots[by]) || plan->slots[by].state == SLOT_STALLED))
        act(actions, PLAN_RELEASE, slot, by);
}

/* Makes the adoptions what the states ask for. */
static void settle(struct plan *plan, struct plan_actions *actions)
{
    for (int i = 0; i < plan->slot_count; i++) {
        struct plan_slot *slot = &plan->slots[i];
        if (serves(plan, slot->adopter) && !serves(plan, i))
            continue;
        release(plan, i, actions);
        if (serves(plan, i))
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
        if (is_live(&plan->slots[i]))
            act(actions, PLAN_REARM, i, -1);
}

/* Whoever may have had a wake-up that it will not heed. */
static bool loses_wakeups(enum plan_event event)
{
    return event == PLAN_ENDED || event == PLAN_MISFIT || event == PLAN_HEIR_ENDED ||
           event == PLAN_STALLED;
}

void plan_step(struct plan *plan, enum plan_event event, int slot, int64_t now,
               struct plan_actions *actions)
{
    struct plan_slot *s = &plan->slots[slot];
    struct step step = {.plan = plan, .slot = s, .number = slot, .now = now, .actions = actions};
    rule *apply = rules[s->state][event];
    actions->count = 0;
    if (apply && (event == PLAN_UNWANT || !plan->is_stopping))
        apply(&step);
    if (plan->is_stopping || plan->is_coming)
        return;
    settle(plan, actions);
    if (apply && loses_wakeups(event))
        rearm(plan, actions);
    if (apply && event == PLAN_RECOVERED &&
        is_live(s)) /* it was left out while others lost theirs */
        act(actions, PLAN_REARM, slot, -1);
}

void plan_take_over(struct plan *plan, struct plan_actions *actions)
{
    actions->count = 0;
    plan->is_coming = false;
    settle(plan, actions);
}
