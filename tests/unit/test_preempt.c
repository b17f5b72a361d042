#include <criterion/criterion.h>
#include <sched.h>

#include "os/preempt.h"
#include "support.h"

#define MS 1000000ULL

/* What it has waited since the look before, and for how many times that it was ready to run. */
static const struct {
    const char *name;
    uint64_t nanoseconds;
    uint64_t times;
    bool is_long;
} rows[] = {
    {"nothing was done", 0, 0, false},
    {"one long wait alone says little", 50 * MS, 1, false},
    {"seven are not enough", 70 * MS, 7, false},
    {"eight of a millisecond", 8 * MS, 8, true},
    {"eight of a little less", 8 * MS - 1, 8, false},
    {"many short ones", 10 * MS, 1000, false},
    {"many long ones", 3000 * MS, 1000, true},
};

Test(preempt, waits)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct preempt preempt = {.before = {.nanoseconds = 5000 * MS, .times = 77}};
        struct preempt_waits now = {.nanoseconds = 5000 * MS + rows[i].nanoseconds,
                                    .times = 77 + rows[i].times};
        cr_expect_eq(preempt_has_waited_long(&preempt, &now), rows[i].is_long, "%s", rows[i].name);
        if (rows[i].is_long)
            cr_expect_not(preempt_has_waited_long(&preempt, &now), "%s: once", rows[i].name);
    }
}

/* A worker that wakes seldom waits, too. */
Test(preempt, few_waits_add_up)
{
    struct preempt preempt = {0};
    for (uint64_t i = 1; i <= 24; i++) {
        struct preempt_waits now = {.nanoseconds = i * 3 * MS, .times = i};
        cr_expect_eq(preempt_has_waited_long(&preempt, &now), i % 8 == 0, "%llu",
                     (unsigned long long)i);
    }
}

static int policy(void)
{
    return sched_getscheduler(0);
}

Test(preempt, what_was_asked_for)
{
    struct preempt preempt;
    preempt_open(&preempt, PREEMPT_YES, 1000);
    cr_expect_eq(policy(), SCHED_OTHER);
    cr_expect_not(preempt_is_due(&preempt, INT64_MAX));
    preempt_open(&preempt, PREEMPT_NO, 1000);
    cr_expect_eq(policy(), SCHED_BATCH);
    cr_expect_not(preempt_is_due(&preempt, INT64_MAX), "and that stays so");
}

/* Somebody has thought about it. */
Test(preempt, another_policy_stays)
{
    const struct sched_param none = {0};
    struct preempt preempt;
    cr_assert_eq(sched_setscheduler(0, SCHED_IDLE, &none), 0);
    preempt_open(&preempt, PREEMPT_AUTO, 0);
    cr_expect_eq(policy(), SCHED_IDLE);
    cr_expect_not(preempt_is_due(&preempt, INT64_MAX));
}

/* It looks now and then; after a time of long waits it preempts, and comes back, later each time.
 */
Test(preempt, back_and_forth)
{
    struct preempt preempt;
    int64_t now = 1000;
    preempt_open(&preempt, PREEMPT_AUTO, now);
    cr_expect_eq(policy(), SCHED_BATCH);
    cr_expect_not(preempt_is_due(&preempt, now));
    for (int64_t pause = 2000; pause <= 128000; pause *= 2) {
        preempt.before.nanoseconds -= 1000000 * MS; /* as if it had, from here on */
        preempt.before.times -= 1000;
        now = preempt.look_at;
        preempt_look(&preempt, now);
        cr_expect_eq(policy(), SCHED_OTHER, "%lld", (long long)now);
        cr_expect_eq(preempt.look_at - now, pause < 64000 ? pause : 64000);
        now = preempt.look_at;
        preempt_look(&preempt, now);
        cr_expect_eq(policy(), SCHED_BATCH);
    }
    /* Nothing has happened for long, and what was is forgotten. */
    now = preempt.look_at + 64000;
    preempt_look(&preempt, now);
    cr_expect_eq(policy(), SCHED_BATCH);
    preempt.before.nanoseconds -= 1000000 * MS;
    preempt.before.times -= 1000;
    preempt_look(&preempt, preempt.look_at);
    cr_expect_eq(preempt.look_at - now, 50 + 2000);
}
