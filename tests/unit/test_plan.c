#include "master/plan.h"

#include <limits.h>

#include "base/clock.h"
#include "plans.h"

/* ------------------------------------------------------------------------------- the table */

/* The slot's deadline before the step, so that one that was left alone can be told. */
#define MARK  777
#define NEVER CLOCK_NEVER
#define START (NOW + LATE)
#define LATER (NOW + RESPAWN_DELAY_MS)

#define IGNORED(state, event)               \
    {                                       \
        state, 3, event, state, 3, "", MARK \
    }

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
    IGNORED(SLOT_EMPTY, PLAN_UNWANT),
    IGNORED(SLOT_EMPTY, PLAN_READY),
    IGNORED(SLOT_EMPTY, PLAN_SPENT),
    IGNORED(SLOT_EMPTY, PLAN_ENDED),
    IGNORED(SLOT_EMPTY, PLAN_MISFIT),
    IGNORED(SLOT_EMPTY, PLAN_HEIR_ENDED),
    IGNORED(SLOT_EMPTY, PLAN_LACKING),
    IGNORED(SLOT_EMPTY, PLAN_FORGONE),
    IGNORED(SLOT_EMPTY, PLAN_STALLED),
    IGNORED(SLOT_EMPTY, PLAN_RECOVERED),
    IGNORED(SLOT_EMPTY, PLAN_SUPERSEDED),
    IGNORED(SLOT_EMPTY, PLAN_LOST),
    IGNORED(SLOT_EMPTY, PLAN_AWAY),
    IGNORED(SLOT_EMPTY, PLAN_BACK),
    IGNORED(SLOT_EMPTY, PLAN_DUE),

    IGNORED(SLOT_STARTING, PLAN_WANT),
    {SLOT_STARTING, 3, PLAN_UNWANT, SLOT_EMPTY, 3, "dismiss 0", NEVER},
    {SLOT_STARTING, 3, PLAN_READY, SLOT_LIVE, 3, "", NEVER},
    IGNORED(SLOT_STARTING, PLAN_SPENT),
    {SLOT_STARTING, 0, PLAN_ENDED, SLOT_STARTING, 1, "spawn 0", START},
    {SLOT_STARTING, 1, PLAN_ENDED, SLOT_WAITING, 2, "", LATER},
    {SLOT_STARTING, 3, PLAN_MISFIT, SLOT_REFUSED, 3, "", NEVER},
    IGNORED(SLOT_STARTING, PLAN_HEIR_ENDED),
    {SLOT_STARTING, 3, PLAN_LACKING, SLOT_WAITING, 3, "", LATER},
    IGNORED(SLOT_STARTING, PLAN_FORGONE),
    IGNORED(SLOT_STARTING, PLAN_STALLED),
    IGNORED(SLOT_STARTING, PLAN_RECOVERED),
    IGNORED(SLOT_STARTING, PLAN_SUPERSEDED),
    {SLOT_STARTING, 3, PLAN_LOST, SLOT_STARTING, 4, "", MARK},
    IGNORED(SLOT_STARTING, PLAN_AWAY),
    IGNORED(SLOT_STARTING, PLAN_BACK),
    {SLOT_STARTING, 3, PLAN_DUE, SLOT_STARTING, 3, "kill 0", NEVER},

    IGNORED(SLOT_LIVE, PLAN_WANT),
    {SLOT_LIVE, 3, PLAN_UNWANT, SLOT_EMPTY, 3, "dismiss 0", NEVER},
    IGNORED(SLOT_LIVE, PLAN_READY),
    {SLOT_LIVE, 3, PLAN_SPENT, SLOT_RELIEVED, 3, "spawn 0", START},
    {SLOT_LIVE, 0, PLAN_ENDED, SLOT_STARTING, 1, "spawn 0", START},
    {SLOT_LIVE, 1, PLAN_ENDED, SLOT_WAITING, 2, "", LATER},
    {SLOT_LIVE, 3, PLAN_MISFIT, SLOT_REFUSED, 3, "", NEVER},
    IGNORED(SLOT_LIVE, PLAN_HEIR_ENDED),
    IGNORED(SLOT_LIVE, PLAN_LACKING),
    IGNORED(SLOT_LIVE, PLAN_FORGONE),
    {SLOT_LIVE, 3, PLAN_STALLED, SLOT_STALLED, 3, "", NOW + HANG},
    IGNORED(SLOT_LIVE, PLAN_RECOVERED),
    IGNORED(SLOT_LIVE, PLAN_SUPERSEDED),
    {SLOT_LIVE, 3, PLAN_LOST, SLOT_LIVE, 4, "", MARK},
    {SLOT_LIVE, 3, PLAN_AWAY, SLOT_LIVE, 3, "", MARK},
    {SLOT_LIVE, 3, PLAN_BACK, SLOT_LIVE, 3, "", MARK},
    {SLOT_LIVE, 3, PLAN_DUE, SLOT_RELIEVED, 3, "spawn 0", START},

    IGNORED(SLOT_RELIEVED, PLAN_WANT),
    {SLOT_RELIEVED, 3, PLAN_UNWANT, SLOT_EMPTY, 3, "dismiss 0, dismiss 0", NEVER},
    {SLOT_RELIEVED, 3, PLAN_READY, SLOT_LIVE, 0, "dismiss 0", NEVER},
    IGNORED(SLOT_RELIEVED, PLAN_SPENT),
    {SLOT_RELIEVED, 3, PLAN_ENDED, SLOT_STARTING, 4, "", MARK},
    {SLOT_RELIEVED, 3, PLAN_MISFIT, SLOT_STARTING, 4, "", MARK},
    {SLOT_RELIEVED, 0, PLAN_HEIR_ENDED, SLOT_LIVE, 1, "", LATER},
    {SLOT_RELIEVED, 3, PLAN_HEIR_ENDED, SLOT_LIVE, 4, "", NOW + 4 * RESPAWN_DELAY_MS},
    {SLOT_RELIEVED, 3, PLAN_LACKING, SLOT_LIVE, 3, "", LATER},
    {SLOT_RELIEVED, 3, PLAN_FORGONE, SLOT_LIVE, 3, "", NEVER},
    {SLOT_RELIEVED, 3, PLAN_STALLED, SLOT_STARTING, 3, "dismiss 0", MARK},
    IGNORED(SLOT_RELIEVED, PLAN_RECOVERED),
    IGNORED(SLOT_RELIEVED, PLAN_SUPERSEDED),
    {SLOT_RELIEVED, 3, PLAN_LOST, SLOT_RELIEVED, 4, "", MARK},
    {SLOT_RELIEVED, 3, PLAN_AWAY, SLOT_RELIEVED, 3, "", MARK},
    {SLOT_RELIEVED, 3, PLAN_BACK, SLOT_RELIEVED, 3, "", MARK},
    {SLOT_RELIEVED, 3, PLAN_DUE, SLOT_RELIEVED, 3, "kill 0", NEVER},

    IGNORED(SLOT_STALLED, PLAN_WANT),
    {SLOT_STALLED, 3, PLAN_UNWANT, SLOT_EMPTY, 3, "dismiss 0", NEVER},
    IGNORED(SLOT_STALLED, PLAN_READY),
    {SLOT_STALLED, 3, PLAN_SPENT, SLOT_STALLED, 3, "", MARK},
    {SLOT_STALLED, 0, PLAN_ENDED, SLOT_STARTING, 1, "spawn 0", START},
    {SLOT_STALLED, 1, PLAN_ENDED, SLOT_WAITING, 2, "", LATER},
    {SLOT_STALLED, 3, PLAN_MISFIT, SLOT_REFUSED, 3, "", NEVER},
    IGNORED(SLOT_STALLED, PLAN_HEIR_ENDED),
    IGNORED(SLOT_STALLED, PLAN_LACKING),
    IGNORED(SLOT_STALLED, PLAN_FORGONE),
    IGNORED(SLOT_STALLED, PLAN_STALLED),
    {SLOT_STALLED, 3, PLAN_RECOVERED, SLOT_LIVE, 3, "", NEVER},
    {SLOT_STALLED, 3, PLAN_SUPERSEDED, SLOT_STARTING, 3, "dismiss 0, spawn 0", START},
    {SLOT_STALLED, 3, PLAN_LOST, SLOT_STALLED, 4, "", MARK},
    IGNORED(SLOT_STALLED, PLAN_AWAY),
    IGNORED(SLOT_STALLED, PLAN_BACK),
    {SLOT_STALLED, 3, PLAN_DUE, SLOT_ABORTED, 3, "abort 0", NOW + ABORT_GRACE_MS},

    IGNORED(SLOT_ABORTED, PLAN_WANT),
    {SLOT_ABORTED, 3, PLAN_UNWANT, SLOT_EMPTY, 3, "kill 0, dismiss 0", NEVER},
    IGNORED(SLOT_ABORTED, PLAN_READY),
    IGNORED(SLOT_ABORTED, PLAN_SPENT),
    {SLOT_ABORTED, 0, PLAN_ENDED, SLOT_STARTING, 1, "spawn 0", START},
    {SLOT_ABORTED, 1, PLAN_ENDED, SLOT_WAITING, 2, "", LATER},
    {SLOT_ABORTED, 3, PLAN_MISFIT, SLOT_REFUSED, 3, "", NEVER},
    IGNORED(SLOT_ABORTED, PLAN_HEIR_ENDED),
    IGNORED(SLOT_ABORTED, PLAN_LACKING),
    IGNORED(SLOT_ABORTED, PLAN_FORGONE),
    IGNORED(SLOT_ABORTED, PLAN_STALLED),
    IGNORED(SLOT_ABORTED, PLAN_RECOVERED),
    IGNORED(SLOT_ABORTED, PLAN_SUPERSEDED),
    {SLOT_ABORTED, 3, PLAN_LOST, SLOT_ABORTED, 4, "", MARK},
    IGNORED(SLOT_ABORTED, PLAN_AWAY),
    IGNORED(SLOT_ABORTED, PLAN_BACK),
    {SLOT_ABORTED, 3, PLAN_DUE, SLOT_ABORTED, 3, "kill 0", NEVER},

    IGNORED(SLOT_WAITING, PLAN_WANT),
    {SLOT_WAITING, 3, PLAN_UNWANT, SLOT_EMPTY, 3, "", NEVER},
    IGNORED(SLOT_WAITING, PLAN_READY),
    IGNORED(SLOT_WAITING, PLAN_SPENT),
    IGNORED(SLOT_WAITING, PLAN_ENDED),
    IGNORED(SLOT_WAITING, PLAN_MISFIT),
    IGNORED(SLOT_WAITING, PLAN_HEIR_ENDED),
    IGNORED(SLOT_WAITING, PLAN_LACKING),
    IGNORED(SLOT_WAITING, PLAN_FORGONE),
    IGNORED(SLOT_WAITING, PLAN_STALLED),
    IGNORED(SLOT_WAITING, PLAN_RECOVERED),
    IGNORED(SLOT_WAITING, PLAN_SUPERSEDED),
    {SLOT_WAITING, 3, PLAN_LOST, SLOT_WAITING, 4, "", MARK},
    IGNORED(SLOT_WAITING, PLAN_AWAY),
    IGNORED(SLOT_WAITING, PLAN_BACK),
    {SLOT_WAITING, 3, PLAN_DUE, SLOT_STARTING, 3, "spawn 0", START},

    IGNORED(SLOT_REFUSED, PLAN_WANT),
    {SLOT_REFUSED, 3, PLAN_UNWANT, SLOT_EMPTY, 3, "", NEVER},
    IGNORED(SLOT_REFUSED, PLAN_READY),
    IGNORED(SLOT_REFUSED, PLAN_SPENT),
    IGNORED(SLOT_REFUSED, PLAN_ENDED),
    IGNORED(SLOT_REFUSED, PLAN_MISFIT),
    IGNORED(SLOT_REFUSED, PLAN_HEIR_ENDED),
    IGNORED(SLOT_REFUSED, PLAN_LACKING),
    IGNORED(SLOT_REFUSED, PLAN_FORGONE),
    IGNORED(SLOT_REFUSED, PLAN_STALLED),
    IGNORED(SLOT_REFUSED, PLAN_RECOVERED),
    IGNORED(SLOT_REFUSED, PLAN_SUPERSEDED),
    IGNORED(SLOT_REFUSED, PLAN_LOST),
    IGNORED(SLOT_REFUSED, PLAN_AWAY),
    IGNORED(SLOT_REFUSED, PLAN_BACK),
    IGNORED(SLOT_REFUSED, PLAN_DUE),
};

Test(plan, the_rows_are_all_there_are)
{
    bool seen[SLOT_STATES][PLAN_EVENTS] = {{false}};
    for (size_t i = 0; i < LENGTH(rows); i++)
        seen[rows[i].state][rows[i].event] = true;
    for (int state = 0; state < SLOT_STATES; state++)
        for (int event = 0; event < PLAN_EVENTS; event++)
            cr_expect(seen[state][event], "%s, %s", state_names[state], event_names[event]);
}

static const char *name_of(const struct row *row)
{
    static char name[64];
    snprintf(name, sizeof name, "%s, %s", state_names[row->state], event_names[row->event]);
    return name;
}

static void set_slot(struct plan_slot *slot, const struct row *row)
{
    slot->state = row->state;
    slot->is_spent = row->state == SLOT_RELIEVED;
    slot->ends = row->ends;
    slot->deadline = MARK;
    slot->live_since = NOW - 1;
}

/* One that is to be replaced stays so until it is, or is gone. */
static bool is_spent_after(const struct row *row)
{
    return row->next == SLOT_RELIEVED ||
           (row->state == SLOT_RELIEVED &&
            (row->event == PLAN_HEIR_ENDED || row->event == PLAN_LACKING)) ||
           (row->state == SLOT_STALLED && row->event == PLAN_SPENT);
}

static void check_slot(const struct plan *plan, const struct row *row)
{
    const struct plan_slot *slot = &plan->slots[0];
    bool is_fresh = row->event == PLAN_READY && row->next == SLOT_LIVE && row->deadline == NEVER;
    bool is_away = row->event == PLAN_AWAY && is_live_state(row->next);
    cr_expect_eq(slot->state, row->next, "%s: %s", name_of(row), state_names[slot->state]);
    cr_expect_eq(slot->ends, row->ends_after, "%s: %d ends", name_of(row), slot->ends);
    cr_expect_eq(slot->deadline, row->deadline, "%s: deadline %lld", name_of(row),
                 (long long)slot->deadline);
    cr_expect_eq(slot->live_since, is_fresh ? NOW : NOW - 1, "%s: live since %lld", name_of(row),
                 (long long)slot->live_since);
    cr_expect_eq(slot->is_away, is_away, "%s: away", name_of(row));
    cr_expect_eq(slot->is_spent, is_spent_after(row), "%s: spent", name_of(row));
}

Test(plan, every_state_and_event_of_a_slot_that_is_alone)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct plan plan;
        char expected[64];
        bool rearms = rows[i].next != rows[i].state &&
                      (rows[i].event == PLAN_HEIR_ENDED || rows[i].event == PLAN_RECOVERED);
        snprintf(expected, sizeof expected, "%s%s", rows[i].deeds, rearms ? "rearm 0" : "");
        open_plan(&plan, 1);
        set_slot(&plan.slots[0], &rows[i]);
        const char *deeds = tell(&plan, rows[i].event, 0, NOW);
        check_slot(&plan, &rows[i]);
        cr_expect_str_eq(deeds, expected, "%s: %s", name_of(&rows[i]), deeds);
        cr_expect_eq(plan.slots[0].adopter, -1);
    }
}

/* What a serving neighbour has to do with the step, behind the rule's own deeds. */
static void expect_neighbour(const struct row *row, char text[128])
{
    bool was_served = is_live_state(row->state);
    bool is_served = is_live_state(row->next) && row->event != PLAN_AWAY;
    bool is_ignored = row->next == row->state && row->deadline == MARK;
    bool is_lost = row->event == PLAN_ENDED || row->event == PLAN_MISFIT ||
                   row->event == PLAN_HEIR_ENDED || row->event == PLAN_STALLED;
    const char *settled = "";
    const char *rearmed = "";
    if (was_served != is_served)
        settled = was_served ? ", adopt 0 by 1" : ", release 0 by 1";
    if (is_lost && !is_ignored)
        rearmed = is_live_state(row->next) ? ", rearm 0, rearm 1" : ", rearm 1";
    else if (row->event == PLAN_RECOVERED && !is_ignored)
        rearmed = ", rearm 0";
    snprintf(text, 128, ", %s%s%s", row->deeds, settled, rearmed);
}

Test(plan, every_state_and_event_beside_a_slot_that_serves)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct plan plan;
        char expected[128];
        open_plan(&plan, 2);
        plan.slots[1].state = SLOT_LIVE;
        set_slot(&plan.slots[0], &rows[i]);
        plan.slots[0].adopter = is_live_state(rows[i].state) ? -1 : 1;
        const char *deeds = tell(&plan, rows[i].event, 0, NOW);
        expect_neighbour(&rows[i], expected);
        const char *wanted = expected + strspn(expected, ", ");
        check_slot(&plan, &rows[i]);
        cr_expect_str_eq(deeds, wanted, "%s: %s instead of %s", name_of(&rows[i]), deeds, wanted);
        cr_expect_eq(plan.slots[0].adopter,
                     is_live_state(rows[i].next) && rows[i].event != PLAN_AWAY ? -1 : 1);
        cr_expect_eq(plan.slots[1].adopter, -1);
        cr_expect_eq(plan.slots[1].state, SLOT_LIVE);
    }
}

/* plan.h: only PLAN_UNWANT means something, and nobody is forked or adopts any more. */
Test(plan, every_state_and_event_of_a_plan_that_stops)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct plan plan;
        open_plan(&plan, 2);
        plan.slots[1].state = SLOT_LIVE;
        set_slot(&plan.slots[0], &rows[i]);
        plan.is_stopping = true;
        const char *deeds = tell(&plan, rows[i].event, 0, NOW);
        bool is_heeded = rows[i].event == PLAN_UNWANT;
        cr_expect_str_eq(deeds, is_heeded ? rows[i].deeds : "", "%s: %s", name_of(&rows[i]), deeds);
        cr_expect_eq(plan.slots[0].state, is_heeded ? rows[i].next : rows[i].state);
        cr_expect_eq(plan.slots[0].adopter, -1);
    }
}

/* A coming one starts its workers, and one that cannot start ends it. */
Test(plan, every_state_and_event_of_a_plan_that_is_coming)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct plan plan;
        char expected[64];
        bool gives_up = rows[i].next == SLOT_REFUSED && rows[i].state != SLOT_REFUSED;
        open_plan(&plan, 2);
        plan.slots[1].state = SLOT_LIVE;
        set_slot(&plan.slots[0], &rows[i]);
        plan.is_coming = true;
        snprintf(expected, sizeof expected, "%s%s", rows[i].deeds, gives_up ? "give up 0" : "");
        const char *deeds = tell(&plan, rows[i].event, 0, NOW);
        cr_expect_str_eq(deeds, expected, "%s: %s", name_of(&rows[i]), deeds);
        check_slot(&plan, &rows[i]);
        cr_expect_eq(plan.slots[0].adopter, -1);
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
    int64_t now = NOW;
    int slot = -1;
    open_plan(&plan, 1);
    tell(&plan, PLAN_WANT, 0, now);
    for (int ends = 1; ends <= 40; ends++) {
        now += 3;
        const char *deeds = tell(&plan, PLAN_ENDED, 0, now);
        if (ends > 1) {
            cr_expect_eq(plan.slots[0].state, SLOT_WAITING, "end %d", ends);
            cr_expect_eq(plan_next(&plan, &slot), now + plan_delay(ends), "end %d", ends);
            now = plan_next(&plan, &slot);
            deeds = tell(&plan, PLAN_DUE, 0, now);
        }
        cr_expect_str_eq(deeds, "spawn 0", "end %d", ends);
        cr_expect_eq(plan_next(&plan, &slot), now + LATE, "end %d", ends);
    }
    cr_expect_eq(plan.slots[0].ends, 40);
}

static const struct {
    const char *name;
    int64_t live;    /* milliseconds from ready to its end */
    int64_t stalled; /* of these, from the middle on */
    int64_t healthy; /* 0: as it is for a plan */
    int ends;        /* after it, when there were 5 */
} lives[] = {
    {"at once", 0, 0, 0, 6},
    {"almost healthy", RESPAWN_HEALTHY_MS - 1, 0, 0, 6},
    {"healthy", RESPAWN_HEALTHY_MS, 0, 0, 1},
    {"long", 1000 * RESPAWN_HEALTHY_MS, 0, 0, 1},
    {"a stall does not begin a new life", RESPAWN_HEALTHY_MS, 10, 0, 1},
    {"stalled and almost healthy", RESPAWN_HEALTHY_MS - 1, 10, 0, 6},
    {"healthy for one with a standby", STANDBY_HEALTHY_MS, 0, STANDBY_HEALTHY_MS, 1},
    {"not even that", STANDBY_HEALTHY_MS - 1, 0, STANDBY_HEALTHY_MS, 6},
};

Test(plan, a_healthy_life_starts_the_count_anew)
{
    for (size_t i = 0; i < LENGTH(lives); i++) {
        struct plan plan;
        int64_t end = NOW + lives[i].live;
        open_plan(&plan, 1);
        tell(&plan, PLAN_WANT, 0, 1);
        tell(&plan, PLAN_READY, 0, NOW);
        plan.slots[0].ends = 5;
        plan.healthy = lives[i].healthy ? lives[i].healthy : plan.healthy;
        if (lives[i].stalled) {
            tell(&plan, PLAN_STALLED, 0, end - 2 * lives[i].stalled);
            tell(&plan, PLAN_RECOVERED, 0, end - lives[i].stalled);
        }
        tell(&plan, PLAN_ENDED, 0, end);
        cr_expect_eq(plan.slots[0].ends, lives[i].ends, "%s: %d", lives[i].name,
                     plan.slots[0].ends);
        cr_expect_eq(plan.slots[0].state, lives[i].ends == 1 ? SLOT_STARTING : SLOT_WAITING, "%s",
                     lives[i].name);
    }
}

/* Of one that is superseded, too, which is an end only if a signal comes upon it. */
Test(plan, a_healthy_life_before_a_supersession_starts_the_count_anew)
{
    for (int healthy = 0; healthy <= 1; healthy++) {
        struct plan plan;
        int64_t then = NOW + RESPAWN_HEALTHY_MS - !healthy;
        open_plan(&plan, 1);
        tell(&plan, PLAN_WANT, 0, 1);
        tell(&plan, PLAN_READY, 0, NOW);
        plan.slots[0].ends = 5;
        tell(&plan, PLAN_STALLED, 0, then);
        tell(&plan, PLAN_SUPERSEDED, 0, then);
        cr_expect_eq(plan.slots[0].ends, healthy ? 0 : 5);
        tell(&plan, PLAN_LOST, 0, then);
        cr_expect_eq(plan.slots[0].ends, healthy ? 1 : 6);
    }
}

/* The time before the last readiness is no life of this worker. */
Test(plan, a_start_that_fails_after_a_healthy_life_counts)
{
    struct plan plan;
    open_live(&plan, 1, 1);
    tell(&plan, PLAN_ENDED, 0, 1000000);
    cr_expect_eq(plan.slots[0].ends, 1);
    tell(&plan, PLAN_ENDED, 0, 2000000);
    cr_expect_eq(plan.slots[0].ends, 2);
    cr_expect_eq(plan.slots[0].deadline, 2000000 + RESPAWN_DELAY_MS);
}
