/*
 * steady - what the strategy can do, and its latencies at 30, 60 and 90 % of that: in an open loop,
 * where connections are due whether the earlier ones have been served or not.
 *
 * Requests cost CPU time, so that workers and not the client are what is short.
 */
#include <stdio.h>

#include "lab/client/demand.h"
#include "lab/trial/trial.h"

#define COST_US 50

/* Of each of the three; the search for what it can do takes as long as one of them. */
#define DURATION_US       300000
#define DURATION_QUICK_US 80000

/* Clients at a time: enough that no CPU has to wait for one; and in the open loop so many that
 * none that is due has to. */
#define CLOSED_SEATS_A_CPU 4
#define OPEN_SEATS         1024

#define PATIENCE_US 2000000

static void plan_load(const struct trial *trial, struct client_plan *plan)
{
    trial_plan(trial, plan);
    plan->cost_us = COST_US;
    plan->duration_us = trial->is_quick ? DURATION_QUICK_US : DURATION_US;
    plan->patience_us = PATIENCE_US;
}

static int find_rate(struct trial *trial, double *rate)
{
    struct client_plan plan;
    struct measurement m;
    plan_load(trial, &plan);
    plan.seats = CLOSED_SEATS_A_CPU * demand_cpus(trial);
    if (trial_load(trial, &plan, &m) < 0)
        return -1;
    *rate = m.rate;
    return 0;
}

static int run_at(struct trial *trial, double rate, unsigned percent)
{
    struct client_plan plan;
    struct measurement m;
    plan_load(trial, &plan);
    plan.seats = OPEN_SEATS;
    plan.per_minute = 1 + (uint64_t)(rate * 60 * percent / 100);
    if (trial_load(trial, &plan, &m) < 0)
        return -1;
    m.rate = rate * percent / 100;
    snprintf(m.phase, sizeof m.phase, "%u %%", percent);
    trial_emit(trial, &m);
    return 0;
}

static int run(struct trial *trial)
{
    double rate = 0;
    if (find_rate(trial, &rate) < 0 || run_at(trial, rate, 30) < 0 || run_at(trial, rate, 60) < 0)
        return -1;
    return run_at(trial, rate, 90);
}

const struct workload workload_steady = {
    .name = "steady",
    .teaches =
        "latencies at 30, 60 and 90 % of what the strategy can do, connections due by the clock",
    .asks = true,
    .min_workers = 1,
    .run = run,
};
