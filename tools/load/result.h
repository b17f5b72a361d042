/*
 * result - what came of a load, as it comes.
 */
#ifndef DROVER_LOAD_RESULT_H
#define DROVER_LOAD_RESULT_H

#include <stdint.h>

#include "load/histogram.h"
#include "load/ledger.h"
#include "load/windows.h"

struct result {
    struct ledger ledger;
    struct histogram latency; /* of the answered ones, from the time they were due: in a closed
                                 loop that is when they were begun, connecting included */
    struct windows windows;
    int64_t began_us;   /* by the wall clock, since 1970: what the times of others compare with */
    int64_t elapsed_us; /* while requests were started, or to the last answer */
    uint64_t unsent;    /* due, but all clients had their hands full until the end */
    uint64_t bytes;
    uint64_t connections;
    uint64_t idle_ends; /* of them those that the server ended while nothing was asked on them */
    int local_error;    /* errno of the last OUTCOME_LOCAL */
};

void result_init(struct result *result, int64_t window_us);
void result_free(struct result *result);

/* A request ended, so long after the run began, and so long after it was due. */
void result_add(struct result *result, enum outcome outcome, int64_t at_us, int64_t latency_us);

#endif
