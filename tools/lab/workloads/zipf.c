/*
 * zipf - most clients ask once or twice, a few ask and ask (Zipf's law): even shares of the clients
 * are no even shares of the work.
 */
#include "lab/client/demand.h"
#include "lab/client/dice.h"
#include "lab/trial/trial.h"

#define COST_US 200

/* Of the CPUs. */
#define SHARE 0.6

#define DURATION_US       700000
#define DURATION_QUICK_US 250000
#define SEATS             1024
#define PATIENCE_US       2000000

static int run(struct trial *trial)
{
    struct client_plan plan;
    struct measurement m;
    struct dice dice;
    trial_plan(trial, &plan);
    dice_init(&dice, plan.seed);
    plan.seats = SEATS;
    plan.is_zipf = true;
    plan.cost_us = COST_US;
    plan.per_minute = demand_per_minute(trial, SHARE,
                                        dice_zipf_mean(&dice) * COST_US + DEMAND_CONNECTION_US);
    plan.duration_us = trial->is_quick ? DURATION_QUICK_US : DURATION_US;
    plan.patience_us = PATIENCE_US;
    if (trial_load(trial, &plan, &m) < 0)
        return -1;
    trial_emit(trial, &m);
    return 0;
}

const struct workload workload_zipf = {
    .name = "zipf",
    .teaches = "a few clients ask 16 times as often as the others: equal shares are no equal work",
    .asks = true,
    .needs_many = true,
    .min_workers = 1,
    .run = run,
};
