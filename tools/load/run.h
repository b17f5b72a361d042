/*
 * run - a load from its start to its last answer.
 */
#ifndef DROVER_LOAD_RUN_H
#define DROVER_LOAD_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "load/histogram.h"
#include "load/job.h"
#include "load/ledger.h"

struct run_limits {
    unsigned clients;
    uint64_t requests;   /* none starts after that many; UINT64_MAX: without end */
    int64_t duration_us; /* none starts after that time; INT64_MAX: without end */
    int64_t timeout_us;  /* from a request's start, connecting included, to its last byte */
    bool progress;       /* a line a second on stderr */
};

struct run_result {
    struct ledger ledger;
    struct histogram latency; /* of the answered ones, connecting included */
    int64_t elapsed_us;       /* while requests were started, or to the last answer */
    uint64_t bytes;
    uint64_t connections;
    int local_error; /* errno of the last OUTCOME_LOCAL */
};

/*
 * Runs the job until a limit is reached or SIGINT or SIGTERM comes; then no request starts any
 * more, and those under way have their timeout to finish in. A second signal ends the process.
 * Returns 0, or -1 with errno when the run could not be set up or the loop failed.
 */
int run_load(const struct job *job, const struct run_limits *limits, struct run_result *result);

#endif
