#include "load/pace.h"

#define MINUTE_US UINT64_C(60000000)

int64_t pace_due(const struct pace *pace, uint64_t n, int64_t now_us)
{
    uint64_t rate = pace->per_minute;
    if (rate == 0)
        return now_us;
    /* Whole minutes apart, or n * MINUTE_US would overflow in a long run. */
    return pace->start_us + (int64_t)(n / rate * MINUTE_US + n % rate * MINUTE_US / rate);
}

uint64_t pace_count(const struct pace *pace, int64_t before_us)
{
    uint64_t rate = pace->per_minute;
    if (rate == 0)
        return UINT64_MAX;
    if (before_us <= pace->start_us)
        return 0;
    uint64_t us = (uint64_t)(before_us - pace->start_us);
    /* n is due before t when n * MINUTE_US / rate, rounded down, is less than t. */
    return us / MINUTE_US * rate + (us % MINUTE_US * rate + MINUTE_US - 1) / MINUTE_US;
}

int64_t pace_gap(const struct pace *pace)
{
    return pace->per_minute == 0 ? 0 : (int64_t)(MINUTE_US / pace->per_minute);
}
