#include "base/clock.h"

#include <limits.h>

int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail with this clock */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

time_t clock_date(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    return t.tv_sec;
}

int64_t clock_date_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int clock_until(int64_t deadline, int64_t now)
{
    if (deadline == CLOCK_NEVER)
        return -1;
    if (deadline <= now)
        return 0;
    /* One more: `now` was rounded down, and a wait that ends early would be repeated. */
    int64_t wait = deadline - now + 1;
    return wait > INT_MAX ? INT_MAX : (int)wait;
}
