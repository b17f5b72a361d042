/*
 * crashes - workers of a slot that signals have ended in a row, and the requests that they were at:
 * a request that ends one worker is often sent again, and ends the next.
 */
#ifndef DROVER_MASTER_CRASHES_H
#define DROVER_MASTER_CRASHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "worker/board.h"

/* Of one slot. Zeroed: there was none. */
struct crash_row {
    unsigned count;                                        /* in the present row */
    int64_t last_at;                                       /* as clock_ms() */
    int64_t silent_to;                                     /* nothing is told before */
    bool is_cut;                                           /* there were more requests than these */
    char requests[CRASH_REQUESTS_MAX][BOARD_REQUEST_SIZE]; /* all different, the last first; "" */
};

struct crashes {
    struct crash_row of[SLOTS_MAX];
};

/* A signal has ended a worker of the slot, which was at the request of that first line, "" at none;
 * a line that is too long is cut. True: it is to be told, and `text` has it, without the slot. */
bool crashes_note(struct crashes *crashes, int slot, int64_t now, const char *request, char *text,
                  size_t size);

/* How many there are in the present row, that one among them. */
unsigned crashes_count(const struct crashes *crashes, int slot);

#endif
