/*
 * stall - one worker makes no progress for a while, and clients come all the same: who of them is
 * served meanwhile?
 */
#ifndef DROVER_LAB_WORKLOADS_STALL_H
#define DROVER_LAB_WORKLOADS_STALL_H

#include <stdbool.h>

struct trial;

enum stall {
    STALL_STOP, /* SIGSTOP */
    STALL_SPIN, /* it burns CPU time */
};

/*
 * Stalls the worker that is likely to be woken next, has 12 clients come one after the other, and
 * ends the stall. Emits a measurement: `served` in time, `late` when it was over, and lost. For a
 * strategy that can be told of a stall a second one, phase "untold": it was not told. Returns 0, or
 * -1 with errno set and words in the trial.
 */
int stall_run(struct trial *trial, enum stall how);

#endif
