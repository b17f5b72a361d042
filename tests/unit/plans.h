/*
 * plans - what the tests of the plan share: names for its states, events and deeds, and plans whose
 * slots are live already.
 */
#ifndef DROVER_TESTS_PLANS_H
#define DROVER_TESTS_PLANS_H

#include "master/plan.h"
#include "support.h"

#define NOW  5000 /* milliseconds, as the next two */
#define LATE 400
#define HANG 300

static const char *const state_names[] = {
    [SLOT_EMPTY] = "empty",       [SLOT_STARTING] = "starting", [SLOT_LIVE] = "live",
    [SLOT_RELIEVED] = "relieved", [SLOT_STALLED] = "stalled",   [SLOT_ABORTED] = "aborted",
    [SLOT_WAITING] = "waiting",   [SLOT_REFUSED] = "refused",
};
_Static_assert(LENGTH(state_names) == SLOT_STATES, "a name a state");

static const char *const event_names[] = {
    [PLAN_WANT] = "want",
    [PLAN_UNWANT] = "unwant",
    [PLAN_READY] = "ready",
    [PLAN_SPENT] = "spent",
    [PLAN_ENDED] = "ended",
    [PLAN_MISFIT] = "misfit",
    [PLAN_HEIR_ENDED] = "heir ended",
    [PLAN_LACKING] = "lacking",
    [PLAN_FORGONE] = "forgone",
    [PLAN_STALLED] = "stalled",
    [PLAN_RECOVERED] = "recovered",
    [PLAN_SUPERSEDED] = "superseded",
    [PLAN_LOST] = "lost",
    [PLAN_AWAY] = "away",
    [PLAN_BACK] = "back",
    [PLAN_DUE] = "due",
};
_Static_assert(LENGTH(event_names) == PLAN_EVENTS, "a name an event");

/* "spawn 0, adopt 0 by 1" */
static inline const char *describe(const struct plan_actions *actions)
{
    static const char *const names[] = {
        [PLAN_SPAWN] = "spawn",     [PLAN_KILL] = "kill",       [PLAN_ABORT] = "abort",
        [PLAN_DISMISS] = "dismiss", [PLAN_ADOPT] = "adopt",     [PLAN_RELEASE] = "release",
        [PLAN_REARM] = "rearm",     [PLAN_GIVE_UP] = "give up",
    };
    static char text[1024];
    size_t n = 0;
    text[0] = '\0';
    for (int i = 0; i < actions->count && n < sizeof text; i++) {
        const struct plan_action *a = &actions->list[i];
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s %d", i ? ", " : "", names[a->deed],
                              a->slot);
        if (a->deed == PLAN_ADOPT || a->deed == PLAN_RELEASE)
            n += (size_t)snprintf(text + n, sizeof text - n, " by %d", a->by);
        else
            cr_expect_eq(a->by, -1, "%s: by %d", names[a->deed], a->by);
    }
    return text;
}

/* What this step asks for, in words. */
static inline const char *tell(struct plan *plan, enum plan_event event, int slot, int64_t now)
{
    struct plan_actions actions;
    plan_step(plan, event, slot, now, &actions);
    return describe(&actions);
}

static inline void open_plan(struct plan *plan, int count)
{
    plan_init(plan, LATE, HANG);
    for (int slot = 0; slot < count; slot++)
        cr_assert_eq(plan_add_slot(plan), slot);
}

/* Wanted and ready, one after the other. */
static inline void open_live(struct plan *plan, int count, int live)
{
    struct plan_actions actions;
    open_plan(plan, count);
    for (int slot = 0; slot < live; slot++) {
        plan_step(plan, PLAN_WANT, slot, 0, &actions);
        plan_step(plan, PLAN_READY, slot, 0, &actions);
    }
}

static inline bool is_live_state(enum slot_state state)
{
    return state == SLOT_LIVE || state == SLOT_RELIEVED;
}

#endif
