#include "base/clock.h"
#include "master/plan.h"
#include "plans.h"

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
    {"the adopter stalls: it is told, for when it goes on",
     3,
     0,
     {{PLAN_ENDED, 0, "spawn 0, adopt 0 by 1, rearm 1, rearm 2"},
      {PLAN_STALLED, 1, "release 0 by 1, adopt 0 by 2, adopt 1 by 2, rearm 2"},
      {PLAN_RECOVERED, 1, "release 1 by 2, rearm 1"},
      {PLAN_READY, 0, "release 0 by 2"}}},
    {"the adopter is full: what it had moves, and its own too",
     3,
     0,
     {{PLAN_ENDED, 0, "spawn 0, adopt 0 by 1, rearm 1, rearm 2"},
      {PLAN_AWAY, 1, "release 0 by 1, adopt 0 by 2, adopt 1 by 2"},
      {PLAN_AWAY, 1, ""},
      {PLAN_BACK, 1, "release 1 by 2"},
      {PLAN_BACK, 1, ""}}},
    {"the adopter is relieved: its successor is told what it had",
     3,
     0,
     {{PLAN_ENDED, 0, "spawn 0, adopt 0 by 1, rearm 1, rearm 2"},
      {PLAN_SPENT, 1, "spawn 1"},
      {PLAN_AWAY, 2, "adopt 2 by 1"},
      {PLAN_READY, 1, "dismiss 1, adopt 0 by 1, adopt 2 by 1"},
      {PLAN_READY, 0, "release 0 by 1"},
      {PLAN_BACK, 2, "release 2 by 1"}}},
    {"the adopter is unwanted",
     3,
     0,
     {{PLAN_UNWANT, 0, "dismiss 0, adopt 0 by 1"},
      {PLAN_UNWANT, 1, "dismiss 1, adopt 0 by 2, adopt 1 by 2"}}},
    {"the adopter is unwanted while its successor starts",
     3,
     0,
     {{PLAN_UNWANT, 0, "dismiss 0, adopt 0 by 1"},
      {PLAN_SPENT, 1, "spawn 1"},
      {PLAN_UNWANT, 1, "dismiss 1, dismiss 1, adopt 0 by 2, adopt 1 by 2"}}},
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
    {"all are away: each has its own queue, until one is back",
     3,
     0,
     {{PLAN_AWAY, 0, "adopt 0 by 1"},
      {PLAN_AWAY, 1, "release 0 by 1, adopt 0 by 2, adopt 1 by 2"},
      {PLAN_AWAY, 2, "release 0 by 2, release 1 by 2"},
      {PLAN_BACK, 1, "adopt 0 by 1, adopt 2 by 1"},
      {PLAN_BACK, 0, "release 0 by 1"},
      {PLAN_BACK, 2, "release 2 by 1"}}},
    {"one that is away ends: its next one is not",
     2,
     0,
     {{PLAN_AWAY, 0, "adopt 0 by 1"},
      {PLAN_ENDED, 0, "spawn 0, rearm 1"},
      {PLAN_READY, 0, "release 0 by 1"}}},
    {"one that is away is relieved, and then not away",
     2,
     0,
     {{PLAN_AWAY, 0, "adopt 0 by 1"},
      {PLAN_SPENT, 0, "spawn 0"},
      {PLAN_READY, 0, "dismiss 0, release 0 by 1"}}},
    {"the last one stalls: it is released from all",
     2,
     0,
     {{PLAN_ENDED, 0, "spawn 0, adopt 0 by 1, rearm 1"},
      {PLAN_STALLED, 1, "release 0 by 1"},
      {PLAN_RECOVERED, 1, "adopt 0 by 1, rearm 1"}}},
    {"a stalled adopter dies: no word to it",
     2,
     0,
     {{PLAN_ENDED, 0, "spawn 0, adopt 0 by 1, rearm 1"},
      {PLAN_STALLED, 1, "release 0 by 1"},
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
    {"a recycle of the only one", 1, 0, {{PLAN_SPENT, 0, "spawn 0"}, {PLAN_READY, 0, "dismiss 0"}}},
    {"the adoption stays while its slot fails to start",
     2,
     0,
     {{PLAN_ENDED, 0, "spawn 0, adopt 0 by 1, rearm 1"},
      {PLAN_ENDED, 0, "rearm 1"},
      {PLAN_DUE, 0, "spawn 0"},
      {PLAN_DUE, 0, "kill 0"},
      {PLAN_ENDED, 0, "rearm 1"},
      {PLAN_DUE, 0, "spawn 0"},
      {PLAN_READY, 0, "release 0 by 1"}}},
    {"a misfit stays adopted",
     2,
     0,
     {{PLAN_MISFIT, 0, "adopt 0 by 1, rearm 1"}, {PLAN_DUE, 0, ""}, {PLAN_WANT, 0, ""}}},
    {"sockets are watched anew by the live ones alone",
     5,
     0,
     {{PLAN_UNWANT, 1, "dismiss 1, adopt 1 by 2"},
      {PLAN_STALLED, 3, "adopt 3 by 4, rearm 0, rearm 2, rearm 4"},
      {PLAN_ENDED, 4, "spawn 4, adopt 3 by 0, adopt 4 by 0, rearm 0, rearm 2"},
      {PLAN_ENDED, 3, "spawn 3, rearm 0, rearm 2"}}},

    {"both die, the worker first",
     2,
     0,
     {{PLAN_SPENT, 0, "spawn 0"},
      {PLAN_ENDED, 0, "adopt 0 by 1, rearm 1"},
      {PLAN_ENDED, 0, "rearm 1"},
      {PLAN_DUE, 0, "spawn 0"},
      {PLAN_READY, 0, "release 0 by 1"}}},
    {"both die, the successor first",
     2,
     0,
     {{PLAN_SPENT, 0, "spawn 0"},
      {PLAN_HEIR_ENDED, 0, "rearm 0, rearm 1"},
      {PLAN_ENDED, 0, "adopt 0 by 1, rearm 1"},
      {PLAN_DUE, 0, "spawn 0"},
      {PLAN_READY, 0, "release 0 by 1"}}},
    {"the worker dies, and its successor takes its place",
     2,
     0,
     {{PLAN_SPENT, 0, "spawn 0"},
      {PLAN_ENDED, 0, "adopt 0 by 1, rearm 1"},
      {PLAN_READY, 0, "release 0 by 1"}}},
    {"a successor that never gets ready, and the next one does",
     1,
     0,
     {{PLAN_SPENT, 0, "spawn 0"},
      {PLAN_DUE, 0, "kill 0"},
      {PLAN_HEIR_ENDED, 0, "rearm 0"},
      {PLAN_DUE, 0, "spawn 0"},
      {PLAN_READY, 0, "dismiss 0"}}},
    {"a worker that stalls while its successor starts",
     2,
     0,
     {{PLAN_SPENT, 0, "spawn 0"},
      {PLAN_STALLED, 0, "dismiss 0, adopt 0 by 1, rearm 1"},
      {PLAN_RECOVERED, 0, ""},
      {PLAN_READY, 0, "release 0 by 1"}}},
    {"the same, and the successor fails",
     2,
     0,
     {{PLAN_SPENT, 0, "spawn 0"},
      {PLAN_STALLED, 0, "dismiss 0, adopt 0 by 1, rearm 1"},
      {PLAN_DUE, 0, "kill 0"},
      {PLAN_ENDED, 0, "spawn 0, rearm 1"},
      {PLAN_READY, 0, "release 0 by 1"}}},
    {"one that is spent while it is stalled is relieved when it goes on",
     2,
     0,
     {{PLAN_STALLED, 0, "adopt 0 by 1, rearm 1"},
      {PLAN_SPENT, 0, ""},
      {PLAN_RECOVERED, 0, "spawn 0, release 0 by 1, rearm 0"},
      {PLAN_READY, 0, "dismiss 0"},
      {PLAN_STALLED, 0, "adopt 0 by 1, rearm 1"},
      {PLAN_RECOVERED, 0, "release 0 by 1, rearm 0"}}},
    {"one that stalls before its next relief does not lose it",
     1,
     0,
     {{PLAN_SPENT, 0, "spawn 0"},
      {PLAN_HEIR_ENDED, 0, "rearm 0"},
      {PLAN_STALLED, 0, ""},
      {PLAN_RECOVERED, 0, "spawn 0, rearm 0"},
      {PLAN_READY, 0, "dismiss 0"}}},
    {"one that is spent, stalls and dies needs no relief",
     1,
     0,
     {{PLAN_STALLED, 0, ""},
      {PLAN_SPENT, 0, ""},
      {PLAN_ENDED, 0, "spawn 0"},
      {PLAN_READY, 0, ""},
      {PLAN_STALLED, 0, ""},
      {PLAN_RECOVERED, 0, "rearm 0"}}},
    {"one that goes on may have been left out when another lost a wake-up",
     2,
     0,
     {{PLAN_STALLED, 0, "adopt 0 by 1, rearm 1"},
      {PLAN_STALLED, 1, "release 0 by 1"},
      {PLAN_RECOVERED, 0, "adopt 1 by 0, rearm 0"}}},
    {"a hang to its end",
     2,
     0,
     {{PLAN_STALLED, 0, "adopt 0 by 1, rearm 1"},
      {PLAN_DUE, 0, "abort 0"},
      {PLAN_RECOVERED, 0, ""},
      {PLAN_DUE, 0, "kill 0"},
      {PLAN_ENDED, 0, "spawn 0, rearm 1"},
      {PLAN_READY, 0, "release 0 by 1"}}},
    {"one that is superseded crashes after all: the next end is the second in a row",
     2,
     0,
     {{PLAN_STALLED, 0, "adopt 0 by 1, rearm 1"},
      {PLAN_SUPERSEDED, 0, "dismiss 0, spawn 0"},
      {PLAN_READY, 0, "release 0 by 1"},
      {PLAN_LOST, 0, ""},
      {PLAN_ENDED, 0, "adopt 0 by 1, rearm 1"},
      {PLAN_DUE, 0, "spawn 0"}}},
    {"a stalled one is unwanted",
     2,
     0,
     {{PLAN_STALLED, 1, "adopt 1 by 0, rearm 0"},
      {PLAN_UNWANT, 1, "dismiss 1"},
      {PLAN_RECOVERED, 1, ""},
      {PLAN_WANT, 1, "spawn 1"},
      {PLAN_READY, 1, "release 1 by 0"}}},
};

static void play(const struct scene *scene)
{
    struct plan plan;
    open_live(&plan, scene->slots, scene->slots - scene->cold);
    for (size_t i = 0; i < LENGTH(scene->steps) && scene->steps[i].actions; i++) {
        const struct scene_step *step = &scene->steps[i];
        const char *deeds = tell(&plan, step->event, step->slot, NOW);
        cr_expect_str_eq(deeds, step->actions, "%s, step %zu: %s", scene->name, i, deeds);
    }
}

Test(plan_scenes, every_scene)
{
    for (size_t i = 0; i < LENGTH(scenes); i++)
        play(&scenes[i]);
}

/* -------------------------------------------------------------------- who serves, and how many */

/* The slots that serve, as "0 2". */
static const char *serving(const struct plan *plan)
{
    static char text[64];
    struct slot_set set;
    size_t n = 0;
    int count = plan_serving(plan, &set);
    text[0] = '\0';
    for (int slot = 0; slot < SLOTS_MAX; slot++)
        if (slot_set_has(&set, slot)) {
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%d", n ? " " : "", slot);
            count--;
        }
    cr_expect_eq(count, 0, "it says how many");
    return text;
}

Test(plan_scenes, the_live_ones_that_are_not_away_serve)
{
    struct plan plan;
    open_plan(&plan, SLOT_STATES);
    cr_expect_str_eq(serving(&plan), "");
    for (int slot = 0; slot < SLOT_STATES; slot++)
        plan.slots[slot].state = (enum slot_state)slot;
    cr_expect_str_eq(serving(&plan), "2 3", "live and relieved");
    plan.slots[SLOT_RELIEVED].is_away = true;
    cr_expect_str_eq(serving(&plan), "2");
    plan.slots[SLOT_LIVE].is_away = true;
    cr_expect_str_eq(serving(&plan), "");
}

Test(plan_scenes, the_last_slot_is_of_the_set_too)
{
    static struct plan plan;
    open_plan(&plan, SLOTS_MAX);
    plan.slots[SLOTS_MAX - 1].state = SLOT_LIVE;
    char expected[8];
    snprintf(expected, sizeof expected, "%d", SLOTS_MAX - 1);
    cr_expect_str_eq(serving(&plan), expected);
}

Test(plan_scenes, whole_is_every_wanted_worker_live)
{
    for (int state = 0; state < SLOT_STATES; state++) {
        struct plan plan;
        bool is_whole = state == SLOT_EMPTY || is_live_state((enum slot_state)state);
        open_live(&plan, 3, 2);
        cr_expect(plan_is_whole(&plan));
        plan.slots[1].state = (enum slot_state)state;
        cr_expect_eq(plan_is_whole(&plan), is_whole, "%s", state_names[state]);
    }
}

Test(plan_scenes, who_is_away_is_live_all_the_same)
{
    struct plan plan;
    open_live(&plan, 2, 2);
    tell(&plan, PLAN_AWAY, 0, NOW);
    cr_expect(plan_is_whole(&plan));
}

/* ----------------------------------------------------------------------------- the coming one */

Test(plan_scenes, a_coming_one_adopts_once_it_is_the_present_one)
{
    struct plan plan;
    struct plan_actions actions;
    open_plan(&plan, 3);
    plan.is_coming = true;
    cr_expect_str_eq(tell(&plan, PLAN_WANT, 0, NOW), "spawn 0");
    cr_expect_str_eq(tell(&plan, PLAN_WANT, 1, NOW), "spawn 1");
    cr_expect_str_eq(tell(&plan, PLAN_READY, 1, NOW), "", "slot 2 is the present one's");
    cr_expect_not(plan_is_whole(&plan));
    cr_expect_str_eq(tell(&plan, PLAN_READY, 0, NOW), "");
    cr_expect(plan_is_whole(&plan));
    plan_take_over(&plan, &actions);
    cr_expect_str_eq(describe(&actions), "adopt 2 by 0");
    cr_expect_str_eq(tell(&plan, PLAN_ENDED, 0, NOW),
                     "spawn 0, adopt 0 by 1, adopt 2 by 1, rearm 1");
    plan_take_over(&plan, &actions);
    cr_expect_str_eq(describe(&actions), "", "once is enough");
}

Test(plan_scenes, a_new_slot_of_the_present_one_is_adopted)
{
    struct plan plan;
    struct plan_actions actions;
    open_live(&plan, 2, 2);
    cr_expect_eq(plan_add_slot(&plan), 2);
    plan_take_over(&plan, &actions);
    cr_expect_str_eq(describe(&actions), "adopt 2 by 0");
}

Test(plan_scenes, a_coming_one_gives_up_when_a_worker_ends_too_often)
{
    struct plan plan;
    open_plan(&plan, 1);
    plan.is_coming = true;
    tell(&plan, PLAN_WANT, 0, NOW);
    for (int ends = 1; ends < COMING_ENDS_MAX; ends++) {
        const char *deeds = tell(&plan, PLAN_ENDED, 0, NOW);
        if (plan.slots[0].state == SLOT_WAITING)
            deeds = tell(&plan, PLAN_DUE, 0, NOW);
        cr_expect_str_eq(deeds, "spawn 0", "end %d", ends);
    }
    cr_expect_str_eq(tell(&plan, PLAN_ENDED, 0, NOW), "give up 0");
    cr_expect_eq(plan.slots[0].state, SLOT_REFUSED);
    cr_expect_eq(plan.slots[0].ends, COMING_ENDS_MAX);
}

Test(plan_scenes, the_present_one_never_gives_up)
{
    struct plan plan;
    open_live(&plan, 1, 1);
    for (int ends = 1; ends <= 3 * COMING_ENDS_MAX; ends++) {
        cr_expect_str_eq(tell(&plan, PLAN_ENDED, 0, NOW), ends == 1 ? "spawn 0" : "", "%d", ends);
        if (ends > 1)
            cr_expect_str_eq(tell(&plan, PLAN_DUE, 0, NOW), "spawn 0", "%d", ends);
    }
}

/* --------------------------------------------------------------------------- the deadlines */

Test(plan_scenes, without_a_start_timeout_nobody_is_late)
{
    struct plan plan;
    int slot = 7;
    plan_init(&plan, 0, HANG);
    plan_add_slot(&plan);
    cr_expect_str_eq(tell(&plan, PLAN_WANT, 0, NOW), "spawn 0");
    cr_expect_eq(plan_next(&plan, &slot), CLOCK_NEVER);
    cr_expect_eq(slot, 7, "left alone");
    tell(&plan, PLAN_READY, 0, NOW);
    tell(&plan, PLAN_SPENT, 0, NOW);
    cr_expect_eq(plan_next(&plan, &slot), CLOCK_NEVER, "nor is its successor");
    tell(&plan, PLAN_READY, 0, NOW);
    tell(&plan, PLAN_STALLED, 0, NOW);
    cr_expect_eq(plan_next(&plan, &slot), NOW + HANG, "that is another timeout");
}

Test(plan_scenes, without_a_hang_timeout_nobody_is_ended)
{
    struct plan plan;
    int slot = 7;
    plan_init(&plan, LATE, 0);
    plan_add_slot(&plan);
    tell(&plan, PLAN_WANT, 0, NOW);
    cr_expect_eq(plan_next(&plan, &slot), NOW + LATE, "that is another timeout");
    tell(&plan, PLAN_READY, 0, NOW);
    tell(&plan, PLAN_STALLED, 0, NOW);
    cr_expect_eq(plan.slots[0].state, SLOT_STALLED);
    cr_expect_eq(plan_next(&plan, &slot), CLOCK_NEVER);
}

Test(plan_scenes, the_nearest_deadline_is_next)
{
    struct plan plan;
    int slot = -1;
    open_plan(&plan, 3);
    cr_expect_eq(plan_next(&plan, &slot), CLOCK_NEVER);
    tell(&plan, PLAN_WANT, 2, 10);
    tell(&plan, PLAN_WANT, 0, 20);
    tell(&plan, PLAN_WANT, 1, 15);
    cr_expect_eq(plan_next(&plan, &slot), 10 + LATE);
    cr_expect_eq(slot, 2);
    cr_expect_str_eq(tell(&plan, PLAN_DUE, 2, 10 + LATE), "kill 2");
    cr_expect_eq(plan_next(&plan, &slot), 15 + LATE, "it is killed once");
    cr_expect_eq(slot, 1);
    tell(&plan, PLAN_READY, 1, 30);
    cr_expect_eq(plan_next(&plan, &slot), 20 + LATE);
    cr_expect_eq(slot, 0);
}

/* Whoever heeds deadlines until none has passed would never come to an end. */
Test(plan_scenes, a_plan_that_stops_has_no_deadlines)
{
    struct plan plan;
    int slot = -1;
    open_plan(&plan, 2);
    tell(&plan, PLAN_WANT, 0, NOW);
    plan.is_stopping = true;
    cr_expect_eq(plan_next(&plan, &slot), CLOCK_NEVER);
    cr_expect_eq(slot, -1);
}
