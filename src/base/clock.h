/*
 * clock - the time, read in one place.
 *
 * Deadlines are milliseconds of CLOCK_MONOTONIC, in an int64_t. Dates are seconds since the Epoch.
 */
#ifndef DROVER_BASE_CLOCK_H
#define DROVER_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_NEVER INT64_MAX

/* Milliseconds since some fixed point; never goes back. */
int64_t clock_ms(void);

/* The same in microseconds: clock_ms() is clock_us() / CLOCK_US_PER_MS, rounded down. */
#define CLOCK_US_PER_MS 1000
int64_t clock_us(void);

/* Seconds since the Epoch, as the system's clock has it. */
time_t clock_date(void);

/* The same in milliseconds, and exact. */
int64_t clock_date_ms(void);

/* The earlier of two. */
static inline int64_t clock_sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/*
 * How long to wait for a deadline, as epoll_wait(2) wants it: -1 for CLOCK_NEVER, 0 for one that
 * has passed, and never so short that the wait ends before the deadline.
 */
int clock_until(int64_t deadline, int64_t now);

#endif
