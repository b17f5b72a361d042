#include "master/patience.h"

#include "base/limits.h"
#include "support.h"

#define MOST  (15 * STANDBY_TURN_MS)
#define BEGUN 5000 /* a machine's clock may just have begun, too */

static struct patience patience;

static int64_t ms(int64_t now)
{
    return patience_ms(&patience, now, MOST);
}

Test(patience, is_twice_as_long_with_each_that_was_superseded)
{
    const int64_t expected[] = {1, 2, 4, 8, 15, 15};
    for (size_t i = 0; i < LENGTH(expected); i++) {
        cr_expect_eq(ms(BEGUN), expected[i] * STANDBY_TURN_MS, "%zu: %lld", i,
                     (long long)ms(BEGUN));
        patience_double(&patience, BEGUN);
    }
}

Test(patience, has_no_end_that_is_longer_than_the_most)
{
    for (int i = 0; i < 1000; i++)
        patience_double(&patience, BEGUN);
    cr_expect_eq(ms(BEGUN), MOST);
    cr_expect_eq(patience_ms(&patience, BEGUN, STANDBY_TURN_MS / 4), STANDBY_TURN_MS / 4);
}

Test(patience, is_as_at_first_once_no_long_turn_has_come_for_a_while)
{
    patience_double(&patience, BEGUN);
    cr_expect_eq(ms(BEGUN + STANDBY_PATIENT_MS), 2 * STANDBY_TURN_MS);
    cr_expect_eq(ms(BEGUN + STANDBY_PATIENT_MS + 1), STANDBY_TURN_MS);
    patience_double(&patience, BEGUN + STANDBY_PATIENT_MS + 1);
    cr_expect_eq(ms(BEGUN + STANDBY_PATIENT_MS + 1), 2 * STANDBY_TURN_MS, "the first of a new row");
}

Test(patience, stays_while_long_turns_come_that_it_bears)
{
    int64_t now = BEGUN;
    patience_double(&patience, now);
    for (int i = 0; i < 5; i++) {
        now += STANDBY_PATIENT_MS;
        patience_note(&patience, now);
        cr_expect_eq(ms(now), 2 * STANDBY_TURN_MS);
    }
    patience_note(&patience, now + STANDBY_PATIENT_MS + 1);
    cr_expect_eq(ms(now + STANDBY_PATIENT_MS + 1), STANDBY_TURN_MS, "one alone bears nothing");
}
