#include "master/plan.h"

#include <limits.h>

#include "base/clock.h"
#include "support.h"

#define NOW     5000 /* milliseconds */
#define TIMEOUT 400

static const char *const state_names[] = {
    [SLOT_EMPTY] = "empty",     [SLOT_STARTING] = "starting", [SLOT_LIVE] = "live",
    [SLOT_STOPPED] = "stopped", [SLOT_WAITING] = "waiting",   [SLOT_REFUSED] = "refused",
};
_Static_assert(LENGTH(state_names) == SLOT_STATES, "a name a state");

static const char *const event_names[] = {
    [PLAN_WANT] = "want",     [PLAN_UNWANT] = "unwant",   [PLAN_RENEW] = "renew",
    [PLAN_READY] = "ready",   [PLAN_LEAVING] = "leaving", [PLAN_ENDED] = "ended",
    [PLAN_MISFIT] = "misfit", [PLAN_STOPPED] = "stopped", [PLAN_CONTINUED] = "continued",
    [PLAN_DUE] = "due",
};
_Static_assert(LENGTH(event_names) == PLAN_EVENTS, "a name an event");

/* "spawn 0, adopt 0 by 1" */
static const char *describe(const struct plan_actions *actions)
{
    static const char *const names[] = {
        [PLAN_SPAWN] = "spawn", [PLAN_KILL] = "kill",       [PLAN_DISMISS] = "dismiss",
        [PLAN_ADOPT] = "adopt", [PLAN_RELEASE] = "release", [PLAN_REARM] = "rearm",
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

static void add_slots(struct plan *plan, int count)
{
    for (int slot = 0; slot < count; slot++)
        cr_assert_eq(plan_add_slot(plan), slot);
}

static void open_plan(struct plan *plan, int count)
{
    plan_init(plan, TIMEOUT);
    add_slots(plan, count);
}

/* Wanted and ready, one after the other. */
static void open_live(struct plan *plan, int count, int live)
{
    struct plan_actions actions;
    open_plan(plan, count);
    for (int slot = 0; slot < live; slot++) {
        plan_step(plan, PLAN_WANT, slot, 0, &actions);
        plan_step(plan, PLAN_READY, slot, 0, &actions);
    }
}

/* ------------------------------------------------------------------------------- the table */

/* The slot's deadline before the step, so that one that was left alone can be told. */
#define MARK  777
#define NEVER CLOCK_NEVER
#define START (NOW + TIMEOUT)
#define LATER (NOW + RESPAWN_DELAY_MS)

/* Every state and every event, those that are ignored too. */
static const struct row {
    enum slot_state state;
    int ends; /* in a row, before */
    enum plan_event event;

    enum slot_state next;
    int ends_after;
    const char *deeds;
    int64_t deadline;
} rows[] = {
    {SLOT_EMPTY, 3, PLAN_WANT, SLOT_STARTING, 0, "spawn 0", START},
    {SLOT_EMPTY, 3, PLAN_UNWANT, SLOT_EMPTY, 3, "", MARK},
    {SLOT_EMPTY, 3, PLAN_RENEW, SLOT_EMPTY, 3, "", MARK},
    {SLOT_EMPTY, 3, PLAN_READY, SLOT_EMPTY, 3, "", MARK},
    {SLOT_EMPTY, 3, PLAN_LEAVING, SLOT_EMPTY, 3, "", MARK},
    {SLOT_EMPTY, 3, PLAN_ENDED, SLOT_EMPTY, 3, "", MARK},
    {SLOT_EMPTY, 3, PLAN_MISFIT, SLOT_EMPTY, 3, "", MARK},
    {SLOT_EMPTY, 3, PLAN_STOPPED, SLOT_EMPTY, 3, "", MARK},
    {SLOT_EMPTY, 3, PLAN_CONTINUED, SLOT_EMPTY, 3, "", MARK},
    {SLOT_EMPTY, 3, PLAN_DUE, SLOT_EMPTY, 3, "", MARK},

    {SLOT_STARTING, 3, PLAN_WANT, SLOT_STARTING, 3, "", MARK},
    {SLOT_STARTING, 3, PLAN_UNWANT, SLOT_EMPTY, 3, "dismiss 0", NEVER},
    {SLOT_STARTING, 3, PLAN_RENEW, SLOT_STARTING, 0, "dismiss 0, spawn 0", START},
    {SLOT_STARTING, 3, PLAN_READY, SLOT_LIVE, 3, "", NEVER},
    {SLOT_STARTING, 3, PLAN_LEAVING, SLOT_STARTING, 0, "dismiss 0, spawn 0", START},
    {SLOT_STARTING, 0, PLAN_ENDED, SLOT_STARTING, 1, "spawn 0", START},
    {SLOT_STARTING, 1, PLAN_ENDED, SLOT_WAITING, 2, "", LATER},
    {SLOT_STARTING, 3, PLAN_MISFIT, SLOT_REFUSED, 3, "", NEVER},
    {SLOT_STARTING, 3, PLAN_STOPPED, SLOT_STARTING, 3, "", MARK},
    {SLOT_STARTING, 3, PLAN_CONTINUED, SLOT_STARTING, 3, "", MARK},
    {SLOT_STARTING, 3, PLAN_DUE, SLOT_STARTING, 3, "kill 0", NEVER},

    {SLOT_LIVE, 3, PLAN_WANT, SLOT_LIVE, 3, "", MARK},
    {SLOT_LIVE, 3, PLAN_UNWANT, SLOT_EMPTY, 3, "dismiss 0", NEVER},
    {SLOT_LIVE, 3, PLAN_RENEW, SLOT_STARTING, 0, "dismiss 0, spawn 0", START},
    {SLOT_LIVE, 3, PLAN_READY, SLOT_LIVE, 3, "", MARK},
    {SLOT_LIVE, 3, PLAN_LEAVING, SLOT_STARTING, 0, "dismiss 0, spawn 0", START},
    {SLOT_LIVE, 0, PLAN_ENDED, SLOT_STARTING, 1, "spawn 0", START},
    {SLOT_LIVE, 1, PLAN_ENDED, SLOT_WAITING, 2, "", LATER},
    {SLOT_LIVE, 3, PLAN_MISFIT, SLOT_REFUSED, 3, "", NEVER},
    {SLOT_LIVE, 3, PLAN_STOPPED, SLOT_STOPPED, 3, "", NEVER},
    {SLOT_LIVE, 3, PLAN_CONTINUED, SLOT_LIVE, 3, "", MARK},
    {SLOT_LIVE, 3, PLAN_DUE, SLOT_LIVE, 3, "", MARK},

    {SLOT_STOPPED, 3, PLAN_WANT, SLOT_STOPPED, 3, "", MARK},
    {SLOT_STOPPED, 3, PLAN_UNWANT, SLOT_EMPTY, 3, "dismiss 0", NEVER},
    {SLOT_STOPPED, 3, PLAN_RENEW, SLOT_STARTING, 0, "dismiss 0, spawn 0", START},
    {SLOT_STOPPED, 3, PLAN_READY, SLOT_STOPPED, 3, "", MARK},
    {SLOT_STOPPED, 3, PLAN_LEAVING, SLOT_STARTING, 0, "dismiss 0, spawn 0", START},
    {SLOT_STOPPED, 0, PLAN_ENDED, SLOT_STARTING, 1, "spawn 0", START},
    {SLOT_STOPPED, 1, PLAN_ENDED, SLOT_WAITING, 2, "", LATER},
    {SLOT_STOPPED, 3, PLAN_MISFIT, SLOT_REFUSED, 3, "", NEVER},
    {SLOT_STOPPED, 3, PLAN_STOPPED, SLOT_STOPPED, 3, "", MARK},
    {SLOT_STOPPED, 3, PLAN_CONTINUED, SLOT_LIVE, 3, "", NEVER},
    {SLOT_STOPPED, 3, PLAN_DUE, SLOT_STOPPED, 3, "", MARK},

    {SLOT_WAITING, 3, PLAN_WANT, SLOT_WAITING, 3, "", MARK},
    {SLOT_WAITING, 3, PLAN_UNWANT, SLOT_EMPTY, 3, "", NEVER},
    {SLOT_WAITING, 3, PLAN_RENEW, SLOT_STARTING, 0, "spawn 0", START},
    {SLOT_WAITING, 3, PLAN_READY, SLOT_WAITING, 3, "", MARK},
    {SLOT_WAITING, 3, PLAN_LEAVING, SLOT_WAITING, 3, "", MARK},
    {SLOT_WAITING, 3, PLAN_ENDED, SLOT_WAITING, 3, "", MARK},
    {SLOT_WAITING, 3, PLAN_MISFIT, SLOT_WAITING, 3, "", MARK},
    {SLOT_WAITING, 3, PLAN_STOPPED, SLOT_WAITING, 3, "", MARK},
    {SLOT_WAITING, 3, PLAN_CONTINUED, SLOT_WAITING, 3, "", MARK},
    {SLOT_WAITING, 3, PLAN_DUE, SLOT_STARTING, 3, "spawn 0", START},

    {SLOT_REFUSED, 3, PLAN_WANT, SLOT_REFUSED, 3, "", MARK},
    {SLOT_REFUSED, 3, PLAN_UNWANT, SLOT_EMPTY, 3, "", NEVER},
    {SLOT_REFUSED, 3, PLAN_RENEW, SLOT_STARTING, 0, "spawn 0", START},
    {SLOT_REFUSED, 3, PLAN_READY, SLOT_REFUSED, 3, "", MARK},
    {SLOT_REFUSED, 3, PLAN_LEAVING, SLOT_REFUSED, 3, "", MARK},
    {SLOT_REFUSED, 3, PLAN_ENDED, SLOT_REFUSED, 3, "", MARK},
    {SLOT_REFUSED, 3, PLAN_MISFIT, SLOT_REFUSED, 3, "", MARK},
    {SLOT_REFUSED, 3, PLAN_STOPPED, SLOT_REFUSED, 3, "", MARK},
    {SLOT_REFUSED, 3, PLAN_CONTINUED, SLOT_REFUSED, 3, "", MARK},
    {SLOT_REFUSED, 3, PLAN_DUE, SLOT_REFUSED, 3, "", MARK},
};

Test(plan, the_rows_below_are_all_there_are)
{
    bool seen[SLOT_STATES][PLAN_EVENTS] = {{false}};
    for (size_t i = 0; i < LENGTH(rows); i++)
        seen[rows[i].state][rows[i].event] = true;
    for (int state = 0; state < SLOT_STATES; state++)
        for (int event = 0; event < PLAN_EVENTS; event++)
            cr_expect(seen[state][event], "%s, %s", state_names[state], event_names[event]);
}

static void set_slot(struct plan_slot *slot, const struct row *row)
{
    slot->state = row->state;
    slot->ends = row->ends;
    slot->deadline = MARK;
    slot->live_since = NOW - 1;
}

static void check_slot(const struct plan *plan, const struct row *row)
{
    const struct plan_slot *slot = &plan->slots[0];
    const char *state = state_names[row->state];
    const char *event = event_names[row->event];
    cr_expect_eq(slot->state, row->next, "%s, %s: %s", state, event, state_names[slot->state]);
    cr_expect_eq(slot->ends, row->ends_after, "%s, %s: %d ends", state, event, slot->ends);
    cr_expect_eq(slot->deadline, row->deadline, "%s, %s: deadline %lld", state, event,
                 (long long)slot->deadline);
    bool fresh = row->state == SLOT_STARTING && row->event == PLAN_READY;
    cr_expect_eq(slot->live_since, fresh ? NOW : NOW - 1, "%s, %s: live since %lld", state, event,
                 (long long)slot->live_since);
}

Test(plan, every_state_and_event_of_a_slot_that_is_alone)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct plan plan;
        struct plan_actions actions;
        open_plan(&plan, 1);
        set_slot(&plan.slots[0], &rows[i]);
        plan_step(&plan, rows[i].event, 0, NOW, &actions);
        check_slot(&plan, &rows[i]);
        cr_expect_str_eq(describe(&actions), rows[i].deeds, "%s, %s: %s",
                         state_names[rows[i].state], event_names[rows[i].event],
                         describe(&actions));
        cr_expect_eq(plan.slots[0].adopter, -1);
    }
}

/* What a live neighbour has to do with the step, behind the rule's own deeds. */
static void expect_neighbour(const struct row *row, char *text, size_t size)
{
    bool was_live = row->state == SLOT_LIVE;
    bool is_live = row->next == SLOT_LIVE;
    bool is_lost = row->event == PLAN_ENDED || row->event == PLAN_MISFIT ||
                   row->event == PLAN_STOPPED;
    const char *comma = row->deeds[0] ? ", " : "";
    snprintf(text, size, "%s", row->deeds);
    if (was_live && !is_live)
        snprintf(text, size, "%s%sadopt 0 by 1%s", row->deeds, comma, is_lost ? ", rearm 1" : "");
    if (!was_live && is_live)
        snprintf(text, size, "%s%srelease 0 by 1", row->deeds, comma);
}

Test(plan, every_state_and_event_beside_a_live_slot)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct plan plan;
        struct plan_actions actions;
        char expected[128];
        open_plan(&plan, 2);
        plan.slots[1].state = SLOT_LIVE;
        set_slot(&plan.slots[0], &rows[i]);
        plan.slots[0].adopter = rows[i].state == SLOT_LIVE ? -1 : 1;
        plan_step(&plan, rows[i].event, 0, NOW, &actions);
        expect_neighbour(&rows[i], expected, sizeof expected);
        check_slot(&plan, &rows[i]);
        cr_expect_str_eq(describe(&actions), expected, "%s, %s: %s instead of %s",
                         state_names[rows[i].state], event_names[rows[i].event], describe(&actions),
                         expected);
        cr_expect_eq(plan.slots[0].adopter, rows[i].next == SLOT_LIVE ? -1 : 1);
        cr_expect_eq(plan.slots[1].adopter, -1);
        cr_expect_eq(plan.slots[1].state, SLOT_LIVE);
    }
}

/* --------------------------------------------------------------------------- the adoptions */

/* All slots but the last `cold` ones are live at first. */
static const struct scene {
    const char *name;
    int slots, cold;
    struct scene_step {
        enum plan_event event;
        int slot;
        const char *actions;
    } steps[8];
} scenes[] = {
    {"one dead: one live slot adopts it and gives it back",
     3,
     0,
     {{PLAN_ENDED, 0, "spawn 0, adopt 0 by 1, rearm 1, rearm 2"},
      {PLAN_READY, 0, "release 0 by 1"}}},
    {"the adopter dies too: another has both",
     3,
     0,
     {{PLAN_ENDED, 0, "spawn 0, adopt 0 by 1, rearm 1, rearm 2"},
      {PLAN_ENDED, 1, "spawn 1, adopt 0 by 2, adopt 1 by 2, rearm 2"},
      {PLAN_READY, 0, "release 0 by 2"},
      {PLAN_READY, 1, "release 1 by 2"}}},
    {"the adopter is stopped: it is told, for when it goes on",
     3,
     0,
     {{PLAN_ENDED, 0, "spawn 0, adopt 0 by 1, rearm 1, rearm 2"},
      {PLAN_STOPPED, 1, "release 0 by 1, adopt 0 by 2, adopt 1 by 2, rearm 2"},
      {PLAN_CONTINUED, 1, "release 1 by 2"},
      {PLAN_READY, 0, "release 0 by 2"}}},
    {"the adopter is replaced: what it had moves",
     3,
     0,
     {{PLAN_ENDED, 0, "spawn 0, adopt 0 by 1, rearm 1, rearm 2"},
      {PLAN_RENEW, 1, "dismiss 1, spawn 1, adopt 0 by 2, adopt 1 by 2"},
      {PLAN_READY, 1, "release 1 by 2"}}},
    {"the adopter leaves by itself",
     3,
     0,
     {{PLAN_UNWANT, 0, "dismiss 0, adopt 0 by 1"},
      {PLAN_LEAVING, 1, "dismiss 1, spawn 1, adopt 0 by 2, adopt 1 by 2"}}},
    {"the adopter is unwanted",
     3,
     0,
     {{PLAN_UNWANT, 0, "dismiss 0, adopt 0 by 1"},
      {PLAN_UNWANT, 1, "dismiss 1, adopt 0 by 2, adopt 1 by 2"}}},
    {"two dead spread over two",
     4,
     0,
     {{PLAN_ENDED, 0, "spawn 0, adopt 0 by 1, rearm 1, rearm 2, rearm 3"},
      {PLAN_ENDED, 3, "spawn 3, adopt 3 by 2, rearm 1, rearm 2"}}},
    {"the next one up in a tie",
     4,
     0,
     {{PLAN_UNWANT, 2, "dismiss 2, adopt 2 by 3"},
      {PLAN_UNWANT, 1, "dismiss 1, adopt 1 by 0"},
      {PLAN_UNWANT, 0, "dismiss 0, adopt 0 by 3, adopt 1 by 3"}}},
    {"none is live: none adopts, until one is",
     3,
     0,
     {{PLAN_ENDED, 0, "spawn 0, adopt 0 by 1, rearm 1, rearm 2"},
      {PLAN_ENDED, 1, "spawn 1, adopt 0 by 2, adopt 1 by 2, rearm 2"},
      {PLAN_ENDED, 2, "spawn 2"},
      {PLAN_READY, 1, "adopt 0 by 1, adopt 2 by 1"},
      {PLAN_READY, 2, "release 2 by 1"},
      {PLAN_READY, 0, "release 0 by 1"}}},
    {"the last one is stopped: it is released from all",
     2,
     0,
     {{PLAN_ENDED, 0, "spawn 0, adopt 0 by 1, rearm 1"},
      {PLAN_STOPPED, 1, "release 0 by 1"},
      {PLAN_CONTINUED, 1, "adopt 0 by 1"}}},
    {"a stopped adopter dies: no word to it",
     2,
     0,
     {{PLAN_ENDED, 0, "spawn 0, adopt 0 by 1, rearm 1"},
      {PLAN_STOPPED, 1, "release 0 by 1"},
      {PLAN_ENDED, 1, "spawn 1"},
      {PLAN_READY, 0, "adopt 1 by 0"}}},
    {"cold start",
     3,
     3,
     {{PLAN_WANT, 0, "spawn 0"},
      {PLAN_WANT, 1, "spawn 1"},
      {PLAN_WANT, 2, "spawn 2"},
      {PLAN_READY, 1, "adopt 0 by 1, adopt 2 by 1"},
      {PLAN_READY, 0, "release 0 by 1"},
      {PLAN_READY, 2, "release 2 by 1"}}},
    {"one more: the new slot is served before its worker is",
     3,
     1,
     {{PLAN_WANT, 2, "spawn 2"}, {PLAN_READY, 2, "release 2 by 0"}}},
    {"one less, and one more again",
     2,
     0,
     {{PLAN_UNWANT, 1, "dismiss 1, adopt 1 by 0"},
      {PLAN_WANT, 1, "spawn 1"},
      {PLAN_READY, 1, "release 1 by 0"}}},
    {"a reload of each",
     2,
     0,
     {{PLAN_RENEW, 0, "dismiss 0, spawn 0, adopt 0 by 1"},
      {PLAN_READY, 0, "release 0 by 1"},
      {PLAN_RENEW, 1, "dismiss 1, spawn 1, adopt 1 by 0"},
      {PLAN_READY, 1, "release 1 by 0"}}},
    {"a reload of the only one",
     1,
     0,
     {{PLAN_RENEW, 0, "dismiss 0, spawn 0"}, {PLAN_READY, 0, ""}}},
    {"the adoption stays while its slot fails to start",
     2,
     0,
     {{PLAN_ENDED, 0, "spawn 0, adopt 0 by 1, rearm 1"},
      {PLAN_ENDED, 0, ""},
      {PLAN_DUE, 0, "spawn 0"},
      {PLAN_DUE, 0, "kill 0"},
      {PLAN_ENDED, 0, ""},
      {PLAN_MISFIT, 0, ""},
      {PLAN_RENEW, 0, "spawn 0"},
      {PLAN_READY, 0, "release 0 by 1"}}},
    {"a misfit stays adopted",
     2,
     0,
     {{PLAN_MISFIT, 0, "adopt 0 by 1, rearm 1"}, {PLAN_DUE, 0, ""}, {PLAN_WANT, 0, ""}}},
    {"sockets are watched anew by the live ones alone",
     5,
     0,
     {{PLAN_UNWANT, 1, "dismiss 1, adopt 1 by 2"},
      {PLAN_STOPPED, 3, "adopt 3 by 4, rearm 0, rearm 2, rearm 4"},
      {PLAN_ENDED, 4, "spawn 4, adopt 3 by 0, adopt 4 by 0, rearm 0, rearm 2"},
      {PLAN_ENDED, 3, "spawn 3"}}},
};

static void play(const struct scene *scene)
{
    struct plan plan;
    struct plan_actions actions;
    open_live(&plan, scene->slots, scene->slots - scene->cold);
    for (size_t i = 0; i < LENGTH(scene->steps) && scene->steps[i].actions; i++) {
        const struct scene_step *step = &scene->steps[i];
        plan_step(&plan, step->event, step->slot, NOW, &actions);
        cr_expect_str_eq(describe(&actions), step->actions, "%s, step %zu: %s", scene->name, i,
                         describe(&actions));
    }
}

Test(plan, adoptions)
{
    for (size_t i = 0; i < LENGTH(scenes); i++)
        play(&scenes[i]);
}

/* ------------------------------------------------------------------------------- the stop */

static bool is_for_stopping(enum plan_deed deed)
{
    return deed == PLAN_DISMISS || deed == PLAN_KILL || deed == PLAN_RELEASE;
}

Test(plan, a_stop_dismisses_and_nothing_else)
{
    struct plan plan;
    struct plan_actions actions;
    open_live(&plan, 4, 3);
    plan_step(&plan, PLAN_STOPPED, 0, NOW, &actions);
    plan.is_stopping = true;
    for (int slot = 0; slot < 3; slot++) {
        char expected[16];
        snprintf(expected, sizeof expected, "dismiss %d", slot);
        plan_step(&plan, PLAN_UNWANT, slot, NOW, &actions);
        cr_expect_str_eq(describe(&actions), expected);
    }
    for (int slot = 0; slot < 4; slot++)
        for (int event = PLAN_UNWANT; event < PLAN_EVENTS; event++) {
            plan_step(&plan, (enum plan_event)event, slot, NOW, &actions);
            cr_expect_str_eq(describe(&actions), "", "slot %d, %s", slot, event_names[event]);
        }
    cr_expect_eq(plan_count(&plan, SLOT_EMPTY), 4);
}

/* plan.h: nobody adopts and nobody is forked any more. */
Test(plan, no_event_forks_or_adopts_while_stopping)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct plan plan;
        struct plan_actions actions;
        open_plan(&plan, 2);
        plan.slots[1].state = SLOT_LIVE;
        set_slot(&plan.slots[0], &rows[i]);
        plan.is_stopping = true;
        plan_step(&plan, rows[i].event, 0, NOW, &actions);
        for (int k = 0; k < actions.count; k++)
            cr_expect(is_for_stopping(actions.list[k].deed), "%s, %s: %s",
                      state_names[rows[i].state], event_names[rows[i].event], describe(&actions));
    }
}

/* ---------------------------------------------------------------------------- the respawns */

static const struct {
    int ends;
    int64_t delay;
} delays[] = {{INT_MIN, 0}, {-1, 0},     {0, 0},      {1, 0},       {2, 100},        {3, 200},
              {4, 400},     {5, 800},    {6, 1600},   {7, 3200},    {8, 6400},       {9, 12800},
              {10, 25600},  {11, 30000}, {12, 30000}, {100, 30000}, {INT_MAX, 30000}};

Test(plan, delays_double_up_to_the_cap)
{
    for (size_t i = 0; i < LENGTH(delays); i++)
        cr_expect_eq(plan_delay(delays[i].ends), delays[i].delay, "%d ends: %lld", delays[i].ends,
                     (long long)plan_delay(delays[i].ends));
}

Test(plan, a_worker_that_never_starts_is_forked_later_and_later)
{
    struct plan plan;
    struct plan_actions actions;
    int64_t now = NOW;
    int slot = -1;
    open_plan(&plan, 1);
    plan_step(&plan, PLAN_WANT, 0, now, &actions);
    for (int ends = 1; ends <= 40; ends++) {
        now += 3;
        plan_step(&plan, PLAN_ENDED, 0, now, &actions);
        if (ends > 1) {
            cr_expect_eq(plan.slots[0].state, SLOT_WAITING, "end %d", ends);
            cr_expect_eq(plan_next(&plan, &slot), now + plan_delay(ends), "end %d", ends);
            now = plan_next(&plan, &slot);
            plan_step(&plan, PLAN_DUE, 0, now, &actions);
        }
        cr_expect_str_eq(describe(&actions), "spawn 0", "end %d", ends);
        cr_expect_eq(plan_next(&plan, &slot), now + TIMEOUT, "end %d", ends);
    }
    cr_expect_eq(plan.slots[0].ends, 40);
}

static const struct {
    const char *name;
    int64_t live;    /* milliseconds from ready to its end */
    int64_t stopped; /* of these, from the middle on */
    int ends;        /* after it, when there were 5 */
} lives[] = {
    {"at once", 0, 0, 6},
    {"almost healthy", RESPAWN_HEALTHY_MS - 1, 0, 6},
    {"healthy", RESPAWN_HEALTHY_MS, 0, 1},
    {"long", 1000 * RESPAWN_HEALTHY_MS, 0, 1},
    {"a stop does not begin a new life", RESPAWN_HEALTHY_MS, 10, 1},
    {"stopped and almost healthy", RESPAWN_HEALTHY_MS - 1, 10, 6},
};

Test(plan, a_healthy_life_starts_the_count_anew)
{
    for (size_t i = 0; i < LENGTH(lives); i++) {
        struct plan plan;
        struct plan_actions actions;
        int64_t end = NOW + lives[i].live;
        open_plan(&plan, 1);
        plan_step(&plan, PLAN_WANT, 0, 1, &actions);
        plan_step(&plan, PLAN_READY, 0, NOW, &actions);
        plan.slots[0].ends = 5;
        if (lives[i].stopped) {
            plan_step(&plan, PLAN_STOPPED, 0, end - 2 * lives[i].stopped, &actions);
            plan_step(&plan, PLAN_CONTINUED, 0, end - lives[i].stopped, &actions);
        }
        plan_step(&plan, PLAN_ENDED, 0, end, &actions);
        cr_expect_eq(plan.slots[0].ends, lives[i].ends, "%s: %d", lives[i].name,
                     plan.slots[0].ends);
        cr_expect_eq(plan.slots[0].state, lives[i].ends == 1 ? SLOT_STARTING : SLOT_WAITING, "%s",
                     lives[i].name);
    }
}

/* The time before the last readiness is no life of this worker. */
Test(plan, a_start_that_fails_after_a_healthy_life_counts)
{
    struct plan plan;
    struct plan_actions actions;
    open_live(&plan, 1, 1);
    plan_step(&plan, PLAN_ENDED, 0, 1000000, &actions);
    cr_expect_eq(plan.slots[0].ends, 1);
    plan_step(&plan, PLAN_ENDED, 0, 2000000, &actions);
    cr_expect_eq(plan.slots[0].ends, 2);
    cr_expect_eq(plan.slots[0].deadline, 2000000 + RESPAWN_DELAY_MS);
}

/* --------------------------------------------------------------------------- the deadlines */

Test(plan, without_a_start_timeout_nobody_is_late)
{
    struct plan plan;
    struct plan_actions actions;
    int slot = 7;
    plan_init(&plan, 0);
    add_slots(&plan, 1);
    plan_step(&plan, PLAN_WANT, 0, NOW, &actions);
    cr_expect_str_eq(describe(&actions), "spawn 0");
    cr_expect_eq(plan_next(&plan, &slot), CLOCK_NEVER);
    cr_expect_eq(slot, 7, "left alone");
}

Test(plan, the_nearest_deadline_is_next)
{
    struct plan plan;
    struct plan_actions actions;
    int slot = -1;
    open_plan(&plan, 3);
    cr_expect_eq(plan_next(&plan, &slot), CLOCK_NEVER);
    plan_step(&plan, PLAN_WANT, 2, 10, &actions);
    plan_step(&plan, PLAN_WANT, 0, 20, &actions);
    plan_step(&plan, PLAN_WANT, 1, 15, &actions);
    cr_expect_eq(plan_next(&plan, &slot), 10 + TIMEOUT);
    cr_expect_eq(slot, 2);
    plan_step(&plan, PLAN_DUE, 2, 10 + TIMEOUT, &actions);
    cr_expect_str_eq(describe(&actions), "kill 2");
    cr_expect_eq(plan_next(&plan, &slot), 15 + TIMEOUT, "it is killed once");
    cr_expect_eq(slot, 1);
    plan_step(&plan, PLAN_READY, 1, 30, &actions);
    cr_expect_eq(plan_next(&plan, &slot), 20 + TIMEOUT);
    cr_expect_eq(slot, 0);
}

/* ------------------------------------------------------------------------------ the bounds */

Test(plan, slots_are_added_up_to_the_limit)
{
    struct plan plan;
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
 * The longest list: one adopter has all but one other live slot, and is stopped. All it had is
 * released and adopted, and it is adopted itself: 2 (SLOTS_MAX - 2) + 1, and one is rearmed.
 */
Test(plan, the_longest_list_of_actions_fits)
{
    static struct plan plan;
    struct plan_actions actions;
    open_live(&plan, SLOTS_MAX, 2);
    plan_step(&plan, PLAN_STOPPED, 0, NOW, &actions);
    cr_expect_eq(actions.count, 2 * SLOTS_MAX - 2, "%d", actions.count);
    cr_expect_leq(actions.count, (int)LENGTH(actions.list));
    for (int slot = 0; slot < SLOTS_MAX; slot++)
        cr_expect_eq(plan.slots[slot].adopter, slot == 1 ? -1 : 1, "slot %d", slot);
}

Test(plan, all_slots_die_and_come_back)
{
    static struct plan plan;
    struct plan_actions actions;
    open_live(&plan, SLOTS_MAX, SLOTS_MAX);
    for (int slot = 0; slot < SLOTS_MAX; slot++) {
        plan_step(&plan, PLAN_ENDED, slot, NOW, &actions);
        cr_assert_leq(actions.count, 2 * SLOTS_MAX - 2, "slot %d: %d", slot, actions.count);
    }
    cr_expect_eq(plan_count(&plan, SLOT_LIVE), 0);
    for (int slot = SLOTS_MAX - 1; slot >= 0; slot--) {
        plan_step(&plan, PLAN_READY, slot, NOW, &actions);
        cr_assert_leq(actions.count, 2 * SLOTS_MAX - 2, "slot %d: %d", slot, actions.count);
    }
    for (int slot = 0; slot < SLOTS_MAX; slot++)
        cr_expect_eq(plan.slots[slot].adopter, -1, "slot %d", slot);
}

/* -------------------------------------------------------------------------- a random walk */

/* What the workers know: a process that is told to adopt accepts until it is told otherwise. */
struct walk {
    struct plan plan;
    bool accepts[SLOTS_MAX][SLOTS_MAX]; /* the worker of this slot, for that one */
    int64_t now;
    unsigned seed;
};

static void note_action(struct walk *walk, const struct plan_action *a)
{
    switch (a->deed) {
    case PLAN_SPAWN: memset(walk->accepts[a->slot], 0, sizeof walk->accepts[a->slot]); break;
    case PLAN_ADOPT:
        cr_assert_eq(walk->plan.slots[a->by].state, SLOT_LIVE, "an adopter is live");
        cr_assert_not(walk->accepts[a->by][a->slot], "and has not adopted it already");
        walk->accepts[a->by][a->slot] = true;
        break;
    case PLAN_RELEASE:
        cr_assert(walk->accepts[a->by][a->slot], "who is released had adopted");
        walk->accepts[a->by][a->slot] = false;
        break;
    case PLAN_REARM:
        cr_assert_eq(walk->plan.slots[a->slot].state, SLOT_LIVE, "only the live watch sockets");
        break;
    case PLAN_KILL:
    case PLAN_DISMISS: break;
    }
}

static void check_slots(const struct walk *walk)
{
    bool any_live = plan_count(&walk->plan, SLOT_LIVE) > 0;
    for (int i = 0; i < walk->plan.slot_count; i++) {
        const struct plan_slot *slot = &walk->plan.slots[i];
        bool is_live = slot->state == SLOT_LIVE;
        bool is_adopted = slot->adopter >= 0;
        cr_assert_eq(is_adopted, !is_live && any_live, "slot %d, %s", i, state_names[slot->state]);
        if (is_adopted)
            cr_assert_eq(walk->plan.slots[slot->adopter].state, SLOT_LIVE, "slot %d", i);
        bool waits = slot->state == SLOT_WAITING;
        cr_assert(waits ? slot->deadline < CLOCK_NEVER : true, "who waits has a deadline");
        for (int by = 0; by < walk->plan.slot_count; by++) {
            enum slot_state state = walk->plan.slots[by].state;
            if (state == SLOT_LIVE || state == SLOT_STOPPED)
                cr_assert_eq(walk->accepts[by][i], slot->adopter == by,
                             "slot %d: adopted by %d, worker %d thinks otherwise", i, slot->adopter,
                             by);
        }
    }
}

static void take_step(struct walk *walk)
{
    struct plan *plan = &walk->plan;
    struct plan_actions actions;
    int slot = (int)(next_random(&walk->seed) % (unsigned)plan->slot_count);
    enum plan_event event = (enum plan_event)(next_random(&walk->seed) % PLAN_EVENTS);
    if (next_random(&walk->seed) % 3 == 0) /* often enough that many are live */
        event = next_random(&walk->seed) % 2 ? PLAN_READY : PLAN_WANT;
    walk->now += next_random(&walk->seed) % 2000;
    plan_step(plan, event, slot, walk->now, &actions);
    cr_assert_geq(actions.count, 0);
    cr_assert_leq(actions.count, 2 * plan->slot_count + 2, "%d", actions.count);
    for (int i = 0; i < actions.count; i++)
        note_action(walk, &actions.list[i]);
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

Test(plan, a_random_walk_keeps_the_invariants)
{
    for (int slots = 1; slots <= 9; slots++)
        walk_about(slots, 20000, 0x9e3779b9U + (unsigned)slots);
    walk_about(SLOTS_MAX, 2000, 1);
}
