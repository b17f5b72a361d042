/*
 * workload - what is done to the workers of a strategy while they are measured. One file each in
 * workloads/, one line in workloads.c.
 */
#ifndef DROVER_LAB_WORKLOADS_WORKLOAD_H
#define DROVER_LAB_WORKLOADS_WORKLOAD_H

#include <stdbool.h>

struct trial;

struct workload {
    const char *name;
    const char *teaches;
    bool asks;       /* clients send requests (else the workers greet, unless it is deferred) */
    bool needs_many; /* a worker must be able to wait for several clients at a time */
    unsigned min_workers;

    /* The arena is open. Emits its measurements, one or several (trial_emit()). Returns 0, or -1
     * with errno set and words in the trial. */
    int (*run)(struct trial *trial);
};

/* All of them; the last one is NULL. */
extern const struct workload *const workloads[];
const struct workload *workload_find(const char *name);

#endif
