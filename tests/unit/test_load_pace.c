#include "load/pace.h"

#include <criterion/criterion.h>

Test(load_pace, a_closed_loop_is_always_due)
{
    struct pace p = {.per_minute = 0, .start_us = 100};
    cr_expect_eq(pace_due(&p, 0, 7), 7);
    cr_expect_eq(pace_due(&p, 1000000, 8), 8);
    cr_expect_eq(pace_count(&p, 0), UINT64_MAX);
    cr_expect_eq(pace_gap(&p), 0);
}

Test(load_pace, an_open_loop_by_hand)
{
    struct pace p = {.per_minute = UINT64_C(60) * 1000, .start_us = 500};
    cr_expect_eq(pace_gap(&p), 1000);
    cr_expect_eq(pace_due(&p, 0, 9), 500);
    cr_expect_eq(pace_due(&p, 1, 9), 1500);
    cr_expect_eq(pace_due(&p, 1000, 9), 1000500);
    cr_expect_eq(pace_count(&p, 0), 0);
    cr_expect_eq(pace_count(&p, 500), 0);
    cr_expect_eq(pace_count(&p, 501), 1);
    cr_expect_eq(pace_count(&p, 1500), 1);
    cr_expect_eq(pace_count(&p, 1501), 2);
    cr_expect_eq(pace_count(&p, 1000500), 1000);
}

/* Request n is among those that are due before a time if and only if it is due before it. */
Test(load_pace, the_count_agrees_with_the_times)
{
    static const uint64_t rates[] = {
        1, 7, 60, 999, 60 * 333, 60 * 40000, 1 + 60 * 12345, PACE_RATE_MAX - 1, PACE_RATE_MAX};
    static const uint64_t ns[] = {0, 1, 2, 3, 10, 999, 1000, 123457, UINT64_C(1000000007)};
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++)
        for (size_t i = 0; i < sizeof ns / sizeof *ns; i++) {
            struct pace p = {.per_minute = rates[r], .start_us = 1234567};
            int64_t due = pace_due(&p, ns[i], 0);
            cr_assert_leq(pace_count(&p, due), ns[i], "rate %zu, number %zu", r, i);
            cr_assert_gt(pace_count(&p, due + 1), ns[i], "rate %zu, number %zu", r, i);
        }
}

Test(load_pace, the_longest_run_does_not_overflow)
{
    /* 1000 hours, the most that --duration allows, at the highest rate. */
    struct pace p = {.per_minute = PACE_RATE_MAX, .start_us = 0};
    int64_t end = INT64_C(1000) * 3600 * 1000000;
    uint64_t n = UINT64_C(1000) * 3600 * (PACE_RATE_MAX / 60);
    cr_expect_eq(pace_count(&p, end), n);
    cr_expect_eq(pace_due(&p, n, 0), end);
}
