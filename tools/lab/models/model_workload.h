/*
 * model_workload - what is done to the server of a model while it is measured: how many clients
 * ask, how often on one connection, and how many connections are idle beside them. Data alone; the
 * doing is model_trial.h's.
 */
#ifndef DROVER_LAB_MODELS_MODEL_WORKLOAD_H
#define DROVER_LAB_MODELS_MODEL_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/kernel/resources.h"

#define MODEL_STEPS_MAX 8

struct model_workload {
    const char *name;
    const char *teaches;
    const char *unit; /* what a step counts, for the phase: "idle", "active"; NULL: no steps */
    unsigned steps[MODEL_STEPS_MAX];       /* of connections; ends with 0 */
    unsigned quick_steps[MODEL_STEPS_MAX]; /* the same for a look */
    unsigned seats;    /* clients that ask at one time, one request each; 0: as the step says */
    unsigned requests; /* of one connection; 0: it is kept as long as is measured */
};

/* All of them; the last one is NULL. */
extern const struct model_workload *const model_workloads[];
const struct model_workload *model_workload_find(const char *name);

/* The steps; a workload without any has one, 0. Returns how many. */
size_t model_workload_steps(const struct model_workload *workload, bool is_quick,
                            unsigned steps[MODEL_STEPS_MAX]);

/* Of a step: connections that ask, that are idle, and that the server must hold at one time (0: it
 * need not, a client may wait until another one is done). */
unsigned model_workload_active(const struct model_workload *workload, unsigned step);
unsigned model_workload_idle(const struct model_workload *workload, unsigned step);
unsigned model_workload_held(const struct model_workload *workload, unsigned step);

/*
 * Can a server with this bound, and a client with these resources, do the step? Returns true, or
 * false and why in words: "blocking calls wait for 1 connection at a time: 18 were asked for".
 */
bool model_workload_fits(const struct model_workload *workload, unsigned step,
                         const struct bound *bound, const struct resources *resources, char *words,
                         size_t size);

#endif
