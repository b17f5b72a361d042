/*
 * burst - connections that came one at a time and were idle since, and then all ask at once. They
 * have been shared out long ago, when every worker was idle.
 */
#include <string.h>

#include "lab/trial/trial.h"

#define CONNECTIONS       256
#define CONNECTIONS_QUICK 64
#define COST_US           200
#define PATIENCE_US       2000000

/* What was accepted before the burst is what it is about. */
static int watch(struct trial *trial, struct client *client, void *context)
{
    (void)context;
    memset(trial->accepted, 0, sizeof trial->accepted);
    client_go(client);
    return 0;
}

static int run(struct trial *trial)
{
    struct client_plan plan;
    struct measurement m;
    trial_plan(trial, &plan);
    plan.idle = trial->is_quick ? CONNECTIONS_QUICK : CONNECTIONS;
    plan.is_burst = true;
    plan.cost_us = COST_US;
    plan.patience_us = PATIENCE_US;
    if (trial_load_while(trial, &plan, watch, NULL, &m) < 0)
        return -1;
    m.idle = plan.idle;
    trial_emit(trial, &m);
    return 0;
}

const struct workload workload_burst = {
    .name = "burst",
    .teaches = "idle connections that all ask at once: who holds them was decided long before",
    .asks = true,
    .needs_many = true,
    .min_workers = 1,
    .run = run,
};
