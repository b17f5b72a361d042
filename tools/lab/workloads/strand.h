/*
 * strand - a worker is stopped or killed at the moment at which a client arrives: is the client
 * left waiting in the queue beside workers that sleep?
 *
 * The kernel has woken one for it. When that one gets no further, it depends on the strategy
 * whether anybody else is told.
 */
#ifndef DROVER_LAB_WORKLOADS_STRAND_H
#define DROVER_LAB_WORKLOADS_STRAND_H

#include <stdbool.h>

struct trial;

/*
 * Tries it again and again, and emits one measurement, phase "strand": `stranded` is the share of
 * clients that were still in a listener's queue 50 ms later. The worker is the one that is likely
 * to be woken, the moment a random one within 200 us from when the client is told to connect.
 * Returns 0, or -1 with errno set and words in the trial.
 */
int strand_run(struct trial *trial, bool is_killed);

#endif
