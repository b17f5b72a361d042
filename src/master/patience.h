/*
 * patience - how long the workers of a slot may be at one turn before a standby goes on for them.
 *
 * A worker that is superseded for a long turn loses what it had in memory, and comes back a moment
 * later, perhaps: where handlers now and then take so long, each of them would cost a process. So
 * each doubles the slot's patience, which stays as long as such turns come.
 *
 * Pure: no clock. Times in milliseconds, `now` as clock_ms().
 */
#ifndef DROVER_MASTER_PATIENCE_H
#define DROVER_MASTER_PATIENCE_H

#include <stdint.h>

/* Of one slot. Zeroed: as at first. */
struct patience {
    int doubled;     /* so often */
    int64_t last_at; /* when a turn was last seen that was longer than the first patience */
};

/* What it is now, `most` at most. */
int64_t patience_ms(const struct patience *patience, int64_t now, int64_t most);

/* A turn is longer than STANDBY_TURN_MS. */
void patience_note(struct patience *patience, int64_t now);

/* And its worker was superseded for that. */
void patience_double(struct patience *patience, int64_t now);

#endif
