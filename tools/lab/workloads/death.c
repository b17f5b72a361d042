/*
 * death - a worker is killed in the midst of its work and another one takes its place, again and
 * again: what of its clients?
 */
#include <math.h>
#include <string.h>
#include <time.h>

#include "lab/client/demand.h"
#include "lab/kernel/pause.h"
#include "lab/trial/trial.h"
#include "lab/workloads/strand.h"

#define COST_US 200

/* Of the CPUs. */
#define SHARE 0.3

/* One dies every so often; the load goes on a while after the last one. */
#define DEATHS       6
#define DEATHS_QUICK 2
#define APART_US     100000

#define SEATS       1024
#define LATE_US     50000
#define PATIENCE_US 1500000

/* Who has taken most of late: the death of one that has nothing to do hurts nobody. */
static unsigned busiest(const struct trial *trial, uint64_t seen[LAB_WORKERS_MAX])
{
    unsigned slot = 0;
    uint64_t most = 0;
    for (unsigned i = 0; i < trial->workers && i < LAB_WORKERS_MAX; i++) {
        uint64_t now = trial_accepted(trial, i), taken = now - seen[i];
        seen[i] = now;
        if (taken > most) {
            most = taken;
            slot = i;
        }
    }
    return slot;
}

static int deaths(const struct trial *trial)
{
    return trial->is_quick ? DEATHS_QUICK : DEATHS;
}

static int kill_by_turns(struct trial *trial, struct client *client, void *context)
{
    uint64_t seen[LAB_WORKERS_MAX] = {0};
    (void)context;
    busiest(trial, seen);
    client_go(client);
    for (int i = 0; i < deaths(trial); i++) {
        pause_us(APART_US);
        unsigned slot = busiest(trial, seen);
        if (trial_kill(trial, slot) < 0 || trial_respawn(trial, slot) < 0)
            return -1;
    }
    return 0;
}

static int run_load(struct trial *trial)
{
    struct client_plan plan;
    struct measurement m;
    trial_plan(trial, &plan);
    plan.seats = SEATS;
    plan.cost_us = COST_US;
    plan.per_minute = demand_per_minute(trial, SHARE, COST_US + DEMAND_CONNECTION_US);
    plan.duration_us = (deaths(trial) + 1) * APART_US;
    plan.late_us = LATE_US;
    plan.patience_us = PATIENCE_US;
    if (trial_load_while(trial, &plan, kill_by_turns, NULL, &m) < 0)
        return -1;
    measurement_forget_costs(&m); /* ends, forks and starts are among them */
    trial_emit(trial, &m);
    return 0;
}

static int run(struct trial *trial)
{
    return run_load(trial) < 0 ? -1 : strand_run(trial, true);
}

const struct workload workload_death = {
    .name = "death",
    .teaches =
        "workers are killed under load and replaced: lost by cause; and who is stranded by it",
    .asks = true,
    .min_workers = 2,
    .run = run,
};
