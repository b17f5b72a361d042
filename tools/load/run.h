/*
 * run - a load from its start to its last answer.
 */
#ifndef DROVER_LOAD_RUN_H
#define DROVER_LOAD_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "load/job.h"
#include "load/result.h"

struct run_limits {
    unsigned clients;
    uint64_t per_minute; /* requests that are due a minute; 0: a closed loop */
    uint64_t requests;   /* none starts after that many; UINT64_MAX: without end */
    int64_t duration_us; /* none starts after that time; INT64_MAX: without end */
    int64_t timeout_us;  /* from a request's start, connecting included, to its last byte */
    bool progress;       /* a line a second on stderr */
};

/*
 * Runs the job until a limit is reached or SIGINT or SIGTERM comes; then no request starts any
 * more, and those under way have their timeout to finish in. A second signal ends the process.
 * `result` is one of result_init(). Returns 0, or -1 with errno when the run could not be set up
 * or the loop failed.
 */
int run_load(struct job *job, const struct run_limits *limits, struct result *result);

#endif
