#include "base/clock.h"

#include <limits.h>

#include "support.h"

static const struct {
    int64_t deadline, now;
    int wait; /* as epoll_wait(2) wants it */
} rows[] = {
    {CLOCK_NEVER, 0, -1},
    {CLOCK_NEVER, INT64_MAX - 1, -1},
    {CLOCK_NEVER, CLOCK_NEVER, -1},
    {1000, 1000, 0},
    {1000, 1001, 0},
    {0, INT64_MAX, 0},
    {-5, 0, 0},
    {1001, 1000, 2}, /* `now` was rounded down: it might be almost 1001 */
    {1500, 1000, 501},
    {INT_MAX, 0, INT_MAX},
    {INT_MAX - 2LL, 0, INT_MAX - 1},
    {INT_MAX - 1LL, 0, INT_MAX},
    {INT_MAX + 1LL, 0, INT_MAX},
    {INT64_MAX - 1, 0, INT_MAX},
    {INT64_MAX - 1, 1, INT_MAX},
    {INT64_MAX - 1, INT64_MAX - 2, 2},
};

Test(clock, until)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        int wait = clock_until(rows[i].deadline, rows[i].now);
        cr_expect_eq(wait, rows[i].wait, "%lld at %lld: %d", (long long)rows[i].deadline,
                     (long long)rows[i].now, wait);
    }
}

Test(clock, never_goes_back)
{
    int64_t before = clock_ms();
    for (int i = 0; i < 100000; i++) {
        int64_t now = clock_ms();
        cr_assert_geq(now, before);
        before = now;
    }
}

/* The coarse clock is a tick behind at most. */
Test(clock, date)
{
    time_t before = time(NULL);
    time_t date = clock_date();
    cr_expect_geq(date, before - 1);
    cr_expect_leq(date, time(NULL));
}
