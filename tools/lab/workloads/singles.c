/*
 * singles - connections one at a time, each when all workers sleep again: who is woken, and in
 * vain?
 */
#include "lab/trial/trial.h"

/* So many give a share of 2 % to a single stray wakeup, two rounds of 128 workers, and with 2 CPUs
 * take a tenth of a second. */
#define CONNECTIONS       200
#define CONNECTIONS_QUICK 50

/* A worker that was woken for nothing sleeps again within microseconds. */
#define SETTLE_MS 1000

static void wait_for_rest(void *context)
{
    const struct trial *trial = context;
    arena_settle(&trial->arena, SETTLE_MS);
}

static int run(struct trial *trial)
{
    struct client_plan plan;
    struct measurement m;
    trial_plan(trial, &plan);
    plan.seats = 1;
    plan.connections = trial->is_quick ? CONNECTIONS_QUICK : CONNECTIONS;
    plan.before = wait_for_rest;
    plan.context = trial;
    if (trial_load(trial, &plan, &m) < 0)
        return -1;
    trial_emit(trial, &m);
    return 0;
}

const struct workload workload_singles = {
    .name = "singles",
    .teaches =
        "one connection at a time on idle workers: how many are woken for it, and who gets it",
    .min_workers = 1,
    .run = run,
};
