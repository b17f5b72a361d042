/*
 * timers - the timers of an application, of any length: a binary heap by the time they are due.
 *
 * The connections' own timeouts are deadlines.h, which is O(1) since each kind has one length.
 */
#ifndef DROVER_WORKER_TIMERS_H
#define DROVER_WORKER_TIMERS_H

#include <drover.h>
#include <stddef.h>
#include <stdint.h>

struct timers_entry;

/* Zeroed: none. */
struct timers {
    struct timers_entry *heap; /* owned, and the timer of each */
    size_t count;
    size_t room;
    uint64_t started; /* ever: of two that are due at once, the older one is first */
};

/* Calls fn once at `at`, as clock_ms() counts. NULL with errno ENOMEM. */
struct drover_timer *timers_start(struct timers *timers, int64_t at, void (*fn)(void *argument),
                                  void *argument);

/* Forgets it. Does nothing within its own call, after which it is gone anyway. */
void timers_stop(struct drover_timer *timer);

/* When the first is due; CLOCK_NEVER. */
int64_t timers_next(const struct timers *timers);

/* Calls all that are due now; not those that are started meanwhile. */
void timers_run(struct timers *timers, int64_t now);

/* Forgets all, and gives the memory back. */
void timers_free(struct timers *timers);

#endif
