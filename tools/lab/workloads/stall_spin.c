/*
 * stall-spin - a worker is in an endless loop: it is no less busy to the kernel than one that
 * serves.
 */
#include "lab/trial/trial.h"
#include "lab/workloads/stall.h"

static int run(struct trial *trial)
{
    return stall_run(trial, STALL_SPIN);
}

const struct workload workload_stall_spin = {
    .name = "stall-spin",
    .teaches = "12 clients while a worker spins: the same, and a CPU less",
    .min_workers = 2,
    .run = run,
};
