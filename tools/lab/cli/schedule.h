/*
 * schedule - the measurements that are to be made, in their order, and their making.
 */
#ifndef DROVER_LAB_CLI_SCHEDULE_H
#define DROVER_LAB_CLI_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>

#include "lab/cli/choice.h"
#include "lab/cli/output.h"

struct schedule_entry;
struct strategy;
struct workload;

/* Zeroed: empty. */
struct schedule {
    struct schedule_entry *entries; /* owned */
    size_t count;
    size_t capacity;
    bool has_failed; /* no memory */
};

void schedule_free(struct schedule *schedule);

/*
 * Adds all that a name stands for under a choice: a strategy, a model, a preset; `strategy:NAME`
 * and `model:NAME` where both have it and the workload does not tell. Returns 0; or -1 after it has
 * told on stderr which name is unknown, or that a workload is not for it, and what is allowed.
 */
int schedule_add(struct schedule *schedule, const char *name, const struct choice *choice);

/* Adds one trial of a strategy. */
void schedule_add_trial(struct schedule *schedule, const struct strategy *strategy,
                        const struct workload *workload, unsigned workers,
                        const struct choice *choice);

/* Makes them all. Returns 0; or -1 when one of them failed, which was told; the others are made. */
int schedule_run(const struct schedule *schedule, struct output *output);

#endif
