/*
 * stall-stop - a worker is stopped (SIGSTOP), as by a debugger or a disk that hangs: whose clients
 * wait for it?
 */
#include "lab/trial/trial.h"
#include "lab/workloads/stall.h"
#include "lab/workloads/strand.h"

static int run(struct trial *trial)
{
    return stall_run(trial, STALL_STOP) < 0 ? -1 : strand_run(trial, false);
}

const struct workload workload_stall_stop = {
    .name = "stall-stop",
    .teaches =
        "12 clients while a worker is stopped; and who is stranded when it stops as one comes",
    .min_workers = 2,
    .run = run,
};
