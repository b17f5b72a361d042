/*
 * load - what a client's process has to do, and what it has done so far: the plan, when the next
 * connection is due, what is asked on it, and the score. How it goes about it is plain.h's, one
 * connection at a time, or crowd.h's, many at once.
 */
#ifndef DROVER_LAB_CLIENT_LOAD_H
#define DROVER_LAB_CLIENT_LOAD_H

#include "base/span.h"
#include "lab/client/client.h"
#include "lab/client/dial.h"
#include "lab/client/dice.h"
#include "lab/client/score.h"
#include "load/pace.h"

struct load {
    const struct client_plan *plan; /* borrowed */
    struct score score;
    struct dial dial;
    struct pace pace;
    uint64_t begun; /* connections so far; to be counted by whoever begins them */
    int64_t end_us; /* none is due from then on */

    /* private */
    struct dice dice;
    char ask[SESSION_REQUEST_SIZE], ask_last[SESSION_REQUEST_SIZE];
    size_t ask_length, ask_last_length;
};

void load_init(struct load *load, const struct client_plan *plan, struct client_result *result);

/* The clock of the plan starts. */
void load_start(struct load *load, int64_t now_us);

/* When the next connection is due: in a closed loop now; CLOCK_NEVER when there is none any more.
 */
int64_t load_due(const struct load *load, int64_t now_us);

/* Those of an open loop that were due and have not begun are lost: nobody was free for them. */
void load_give_up(const struct load *load);

/* Draws how many requests the next connection has. */
unsigned load_draw(struct load *load);

/* What to send: nothing where the server speaks first. */
struct span load_request(const struct load *load, bool is_last);

/* Ends it early; sets the result's error to errno, and its words (printf(3)). Returns -1. */
int load_fail(const struct load *load, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
