/*
 * singles - connections one at a time, each when all workers sleep again: who is woken, and in
 * vain?
 */
#include "lab/trial/trial.h"

/* So many give a share of 2 % to a single stray wakeup, two rounds of 128 workers, and with 2 CPUs
 * take a tenth of a second. */
#define CONNECTIONS       200
#define CONNECTIONS_QUICK 100

static int run(struct trial *trial)
{
    struct client_plan plan;
    struct measurement m;
    trial_plan_singles(trial, &plan, trial->is_quick ? CONNECTIONS_QUICK : CONNECTIONS);
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
