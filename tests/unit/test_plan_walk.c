#include "base/clock.h"
#include "master/plan.h"
#include "plans.h"

/* ------------------------------------------------------------------------------ the bounds */

Test(plan_walk, slots_are_added_up_to_the_limit)
{
    static struct plan plan;
    open_plan(&plan, SLOTS_MAX);
    cr_expect_eq(plan_add_slot(&plan), -1);
    cr_expect_eq(plan_add_slot(&plan), -1);
    cr_expect_eq(plan.slot_count, SLOTS_MAX);
    cr_expect_eq(plan_count(&plan, SLOT_EMPTY), SLOTS_MAX);
    for (int slot = 0; slot < SLOTS_MAX; slot++) {
        cr_expect_eq(plan.slots[slot].adopter, -1);
        cr_expect_eq(plan.slots[slot].deadline, CLOCK_NEVER);
    }
}

/*
 * The longest list: one slot has adopted all but one other, which are away, and stalls. All it had
 * are released and adopted, 2 (SLOTS_MAX - 2), it is adopted itself, and all others are rearmed.
 */
Test(plan_walk, the_longest_list_of_actions_fits)
{
    static struct plan plan;
    struct plan_actions actions;
    open_live(&plan, SLOTS_MAX, SLOTS_MAX);
    for (int slot = 1; slot < SLOTS_MAX; slot++)
        plan_step(&plan, PLAN_AWAY, slot, NOW, &actions);
    plan_step(&plan, PLAN_BACK, 1, NOW, &actions);
    plan_step(&plan, PLAN_STALLED, 0, NOW, &actions);
    cr_expect_eq(actions.count, 3 * SLOTS_MAX - 4, "%d", actions.count);
    cr_expect_leq(actions.count, (int)LENGTH(actions.list));
    for (int slot = 0; slot < SLOTS_MAX; slot++)
        cr_expect_eq(plan.slots[slot].adopter, slot == 1 ? -1 : 1, "slot %d", slot);
}

Test(plan_walk, all_slots_die_and_come_back)
{
    static struct plan plan;
    struct plan_actions actions;
    open_live(&plan, SLOTS_MAX, SLOTS_MAX);
    for (int slot = 0; slot < SLOTS_MAX; slot++) {
        plan_step(&plan, PLAN_ENDED, slot, NOW, &actions);
        cr_assert_leq(actions.count, (int)LENGTH(actions.list), "slot %d: %d", slot, actions.count);
    }
    cr_expect_eq(plan_count(&plan, SLOT_LIVE), 0);
    for (int slot = SLOTS_MAX - 1; slot >= 0; slot--) {
        plan_step(&plan, PLAN_READY, slot, NOW, &actions);
        cr_assert_leq(actions.count, (int)LENGTH(actions.list), "slot %d: %d", slot, actions.count);
    }
    for (int slot = 0; slot < SLOTS_MAX; slot++)
        cr_expect_eq(plan.slots[slot].adopter, -1, "slot %d", slot);
}

/* -------------------------------------------------------------------------- a random walk */

/* A process, as the plan's actions make it: it accepts for what it was told to. */
struct process {
    bool exists;
    bool is_ready;
    bool is_stalled;
    bool accepts[SLOTS_MAX]; /* other slots than its own */
};

struct walk {
    struct plan plan;
    struct process workers[SLOTS_MAX]; /* by slot */
    bool has_heir[SLOTS_MAX];          /* which is not ready yet */
    int64_t now;
    unsigned seed;
};

/* The successor is the slot's worker from here on. */
static void promote(struct walk *walk, int slot)
{
    memset(&walk->workers[slot], 0, sizeof walk->workers[slot]);
    walk->workers[slot].exists = walk->has_heir[slot];
    walk->has_heir[slot] = false;
}

static void fork_one(struct walk *walk, int slot)
{
    if (walk->workers[slot].exists) {
        cr_assert_not(walk->has_heir[slot], "slot %d: one successor is enough", slot);
        walk->has_heir[slot] = true;
    } else {
        walk->workers[slot] = (struct process){.exists = true};
    }
}

/* What the master and the workers do when they are told so. */
static void note_action(struct walk *walk, const struct plan_action *a)
{
    struct process *own = &walk->workers[a->slot];
    switch (a->deed) {
    case PLAN_SPAWN: fork_one(walk, a->slot); break;
    case PLAN_DISMISS:
        cr_assert(own->exists, "slot %d: nobody is dismissed", a->slot);
        promote(walk, a->slot);
        break;
    case PLAN_KILL:
    case PLAN_ABORT: cr_assert(own->exists, "slot %d: nobody is ended", a->slot); break;
    case PLAN_ADOPT:
        cr_assert(walk->workers[a->by].exists, "an adopter is there");
        cr_assert_not(walk->workers[a->by].accepts[a->slot], "and has not adopted it already");
        walk->workers[a->by].accepts[a->slot] = true;
        break;
    case PLAN_RELEASE:
        cr_assert(walk->workers[a->by].accepts[a->slot], "who is released had adopted");
        walk->workers[a->by].accepts[a->slot] = false;
        break;
    case PLAN_REARM: cr_assert(own->exists && !own->is_stalled, "who watches sockets"); break;
    case PLAN_GIVE_UP: cr_assert_fail("it is not a coming one");
    }
}

static void check_worker(const struct walk *walk, int i)
{
    enum slot_state state = walk->plan.slots[i].state;
    const struct process *own = &walk->workers[i];
    bool is_gone = state == SLOT_EMPTY || state == SLOT_WAITING || state == SLOT_REFUSED;
    cr_assert_eq(own->exists, !is_gone, "slot %d, %s", i, state_names[state]);
    cr_assert_eq(walk->has_heir[i], state == SLOT_RELIEVED, "slot %d, %s", i, state_names[state]);
    cr_assert_eq(own->is_ready, !is_gone && state != SLOT_STARTING, "slot %d, %s", i,
                 state_names[state]);
    if (is_live_state(state))
        cr_assert_not(own->is_stalled, "slot %d counts as served", i);
    if (state == SLOT_WAITING)
        cr_assert_lt(walk->plan.slots[i].deadline, CLOCK_NEVER, "who waits has a deadline");
}

/* Exactly one polls a slot, while there is one that can. */
static void check_adoption(const struct walk *walk, const struct slot_set *serving, bool any, int i)
{
    int adopter = walk->plan.slots[i].adopter;
    bool is_served = slot_set_has(serving, i);
    cr_assert_eq(adopter >= 0, !is_served && any, "slot %d, %s", i,
                 state_names[walk->plan.slots[i].state]);
    if (adopter >= 0)
        cr_assert(slot_set_has(serving, adopter), "slot %d: adopter %d serves", i, adopter);
    for (int by = 0; by < walk->plan.slot_count; by++)
        cr_assert_eq(walk->workers[by].accepts[i], adopter == by,
                     "slot %d: adopted by %d, worker %d thinks otherwise", i, adopter, by);
}

static void check_slots(const struct walk *walk)
{
    struct slot_set serving;
    bool any = plan_serving(&walk->plan, &serving) > 0;
    for (int i = 0; i < walk->plan.slot_count; i++) {
        check_worker(walk, i);
        check_adoption(walk, &serving, any, i);
    }
}

/* Does the world bring about such an event? Returns false when it cannot be now. */
static bool happens(struct walk *walk, enum plan_event event, int slot)
{
    struct process *own = &walk->workers[slot];
    switch (event) {
    case PLAN_WANT:
    case PLAN_UNWANT:
    case PLAN_LOST: return true;
    case PLAN_READY: return own->exists && (!own->is_ready || walk->has_heir[slot]);
    case PLAN_ENDED:
    case PLAN_MISFIT:
        if (!own->exists)
            return false;
        promote(walk, slot);
        return true;
    case PLAN_LACKING:
        if (walk->plan.slots[slot].state == SLOT_STARTING)
            return !(own->exists = false);
        __attribute__((fallthrough));
    case PLAN_HEIR_ENDED:
    case PLAN_FORGONE:
        if (!walk->has_heir[slot])
            return false;
        walk->has_heir[slot] = false;
        return true;
    case PLAN_STALLED: return own->is_ready && (own->is_stalled = true);
    case PLAN_RECOVERED: return own->is_stalled && !(own->is_stalled = false);
    case PLAN_SUPERSEDED:
    case PLAN_SPENT:
    case PLAN_AWAY:
    case PLAN_BACK: return own->is_ready;
    case PLAN_DUE: return walk->plan.slots[slot].deadline < CLOCK_NEVER;
    case PLAN_EVENTS: break;
    }
    return false;
}

static enum plan_event choose_event(struct walk *walk)
{
    if (next_random(&walk->seed) % 3 == 0) /* often enough that many are live */
        return next_random(&walk->seed) % 2 ? PLAN_READY : PLAN_WANT;
    return (enum plan_event)(next_random(&walk->seed) % PLAN_EVENTS);
}

/* Whoever is ready is the slot's worker: a successor after the actions have made it that. */
static void take_step(struct walk *walk)
{
    struct plan_actions actions;
    int slot = (int)(next_random(&walk->seed) % (unsigned)walk->plan.slot_count);
    enum plan_event event = choose_event(walk);
    walk->now += next_random(&walk->seed) % 2000;
    if (!happens(walk, event, slot))
        return;
    plan_step(&walk->plan, event, slot, walk->now, &actions);
    cr_assert_leq(actions.count, 3 * walk->plan.slot_count + 2, "%d", actions.count);
    for (int i = 0; i < actions.count; i++)
        note_action(walk, &actions.list[i]);
    if (event == PLAN_READY)
        walk->workers[slot].is_ready = true;
    check_slots(walk);
}

static void walk_about(int slots, int steps, unsigned seed)
{
    struct walk *walk = calloc(1, sizeof *walk);
    cr_assert_not_null(walk);
    walk->seed = seed;
    open_plan(&walk->plan, slots);
    for (int i = 0; i < steps; i++)
        take_step(walk);
    free(walk);
}

Test(plan_walk, a_random_walk_keeps_the_invariants)
{
    for (int slots = 1; slots <= 9; slots++)
        walk_about(slots, 20000, 0x9e3779b9U + (unsigned)slots);
    walk_about(SLOTS_MAX, 4000, 1);
}

/* A coming plan, and one that stops, have nobody adopt, whatever happens. */
static void walk_without_adoptions(bool is_coming, unsigned seed)
{
    struct plan plan;
    struct plan_actions actions;
    open_live(&plan, 4, 4);
    plan.is_coming = is_coming;
    plan.is_stopping = !is_coming;
    for (int i = 0; i < 20000; i++) {
        enum plan_event event = (enum plan_event)(next_random(&seed) % PLAN_EVENTS);
        int slot = (int)(next_random(&seed) % 4);
        plan_step(&plan, event, slot, NOW + i, &actions);
        for (int k = 0; k < actions.count; k++) {
            enum plan_deed deed = actions.list[k].deed;
            cr_assert(deed != PLAN_ADOPT && deed != PLAN_RELEASE && deed != PLAN_REARM, "%s: %s",
                      event_names[event], describe(&actions));
            cr_assert(is_coming || deed == PLAN_DISMISS, "%s: %s", event_names[event],
                      describe(&actions));
        }
    }
}

Test(plan_walk, nobody_adopts_for_a_plan_that_comes_or_stops)
{
    walk_without_adoptions(true, 11);
    walk_without_adoptions(false, 12);
}
