/*
 * heavy - connections that stay and ask again, requests that cost CPU time: whoever has accepted
 * too many of them makes all of these wait, and others have nothing to do.
 */
#include "lab/client/demand.h"
#include "lab/trial/trial.h"

#define COST_US  500
#define REQUESTS 5

/* Of the CPUs: there is time for all of it, if it is shared well. */
#define SHARE 0.6

#define DURATION_US       700000
#define DURATION_QUICK_US 250000
#define SEATS             1024
#define PATIENCE_US       2000000

static int run(struct trial *trial)
{
    struct client_plan plan;
    struct measurement m;
    trial_plan(trial, &plan);
    plan.seats = SEATS;
    plan.requests = REQUESTS;
    plan.cost_us = COST_US;
    plan.per_minute = demand_per_minute(trial, SHARE, REQUESTS * COST_US + DEMAND_CONNECTION_US);
    plan.duration_us = trial->is_quick ? DURATION_QUICK_US : DURATION_US;
    plan.patience_us = PATIENCE_US;
    if (trial_load(trial, &plan, &m) < 0)
        return -1;
    trial_emit(trial, &m);
    return 0;
}

const struct workload workload_heavy = {
    .name = "heavy",
    .teaches = "connections that stay, and requests that cost CPU time: who took too many?",
    .asks = true,
    .needs_many = true,
    .min_workers = 1,
    .run = run,
};
