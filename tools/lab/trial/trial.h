/*
 * trial - one strategy under one workload with so many workers: opens the arena, has the workload
 * do its part, and makes figures of what the kernel, the workers and the client have counted.
 */
#ifndef DROVER_LAB_TRIAL_TRIAL_H
#define DROVER_LAB_TRIAL_TRIAL_H

#include "lab/client/client.h"
#include "lab/kernel/account.h"
#include "lab/kernel/tracepoint.h"
#include "lab/strategies/strategy.h"
#include "lab/trial/arena.h"
#include "lab/trial/measurement.h"
#include "lab/workloads/workload.h"

typedef void trial_emit_fn(const struct measurement *m, void *context);

struct trial {
    /* Set by the caller. */
    const struct strategy *strategy;
    const struct workload *workload;
    unsigned workers;
    struct settings settings;
    bool is_quick; /* shorter, for a look */
    unsigned repeat;
    trial_emit_fn *emit;
    void *context;

    /* For the workload. */
    struct arena arena;
    char words[256];

    /* private: where a span of measuring began */
    struct account begun[LAB_WORKERS_MAX + 1];
    uint64_t accepted[LAB_WORKERS_MAX];
    uint64_t returns, wasted;
    struct tracepoint *tracepoint;
    const char *untraced; /* why there is none; NULL: there is, or nobody wanted one */
};

/* Runs it, and emits its measurements; one with `skipped` set if it cannot be. Returns 0, or -1
 * with errno set and the reason in trial->words. */
int trial_run(struct trial *trial);

/* A plan of a client for this trial: where to, from where, whether it asks; the rest is zero but
 * for requests = 1 and patience_us = 10 s. */
void trial_plan(const struct trial *trial, struct client_plan *plan);

/* One connection at a time, so many in all, each when the workers sleep: makes a plan so. */
void trial_plan_singles(struct trial *trial, struct client_plan *plan, uint64_t connections);

/* Connections that a worker has accepted so far. */
uint64_t trial_accepted(const struct trial *trial, unsigned slot);

/* From here on is measured: the workers must sleep. */
int trial_begin(struct trial *trial);

/* Up to here; waits until the workers sleep (those that are stopped or spin do not matter). All
 * figures of *m are set from this and the client's result; phase and the like are the workload's.
 */
int trial_end(struct trial *trial, const struct client_result *result, struct measurement *m);

/* Runs one client from begin to end: what most workloads do. */
int trial_load(struct trial *trial, const struct client_plan *plan, struct measurement *m);

/* The same, with something to do while it runs, client_go() included; -1 with errno set and words
 * in the trial. NULL: nothing. */
typedef int trial_meanwhile_fn(struct trial *trial, struct client *client, void *context);
int trial_load_while(struct trial *trial, const struct client_plan *plan,
                     trial_meanwhile_fn *meanwhile, void *context, struct measurement *m);

/* Starts it, with words in the trial when that fails. NULL then. */
struct client *trial_client(struct trial *trial, const struct client_plan *plan);

/* Words of the trial, printf(3)'s format; errno stays. Returns -1. */
int trial_fail(struct trial *trial, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A worker is killed, and another takes its slot: what the dead one has used up remains counted. */
int trial_kill(struct trial *trial, unsigned slot);
int trial_respawn(struct trial *trial, unsigned slot);

void trial_emit(const struct trial *trial, const struct measurement *m);

#endif
