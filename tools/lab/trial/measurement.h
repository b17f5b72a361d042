/*
 * measurement - the figures of one trial: one line of a result file, one JSON object
 * (json_pack(3) of jansson), one row in the terminal.
 *
 * A figure that could not be had is NAN, and null in JSON.
 */
#ifndef DROVER_LAB_TRIAL_MEASUREMENT_H
#define DROVER_LAB_TRIAL_MEASUREMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lab/trial/settings.h"
#include "load/histogram.h"
#include "load/ledger.h"

struct latency {
    double p50, p90, p99, p999, max; /* microseconds */
};

struct measurement {
    const char *kind; /* "strategy", "model" */
    const char *name; /* static, as the next one */
    const char *workload;
    char phase[32]; /* which part of the workload: "60 %", "10000 idle"; "" */
    unsigned workers;
    uint64_t connections;
    uint64_t requests;
    unsigned repeat; /* 0, 1, ...: which of the repeated runs */

    double wakeups;        /* a connection, by /proc */
    double wakeups_kernel; /* by the tracepoint sched:sched_waking */
    double wakeups_told;   /* by sched:sched_wakeup, which misses some: tracepoint.h */
    double switches_kernel;
    double wasted_visible; /* a connection: the wait returned, accept said EAGAIN */
    double wasted_hidden;  /* woken, and the wait did not return */
    double switches_voluntary, switches_involuntary;
    double cpu_us, cpu_user_us, cpu_system_us; /* a connection */
    double client_cpu_us;
    double run_delay_us;

    uint64_t per_worker[LAB_WORKERS_MAX];
    double jain, max_over_mean, chi_squared, chi_squared_p;

    struct latency latency, accept_latency;
    uint64_t served, late;
    uint64_t lost[OUTCOME_COUNT];
    double stranded;         /* of 1: connections left beside an idle worker; NAN: not tried */
    double queue_max, drops; /* of the accept queue */
    double rate;             /* connections a second, offered or reached */
    double idle;             /* connections that were held beside */
    double resident_per_connection; /* bytes, of models */

    const char *untraced; /* why the kernel's own count was not to be had; NULL: it was, or nobody
                             wanted it. Static, as the next one. */
    const char *skipped;  /* why there are no figures; NULL: there are. Static. */
    bool drain;
    struct settings settings;
};

/* All figures NAN, all counts 0. */
void measurement_clear(struct measurement *m);

/* What a connection costs is not to be had: somebody else than its clients has woken the workers,
 * or they have not come to rest. Wakeups, switches and CPU time become NAN. */
void measurement_forget_costs(struct measurement *m);

/* Quantiles of a histogram; NAN of an empty one. */
struct latency measurement_latency(const struct histogram *h);

/* The object of one line, machine and command line included (machine.h). NULL without memory. */
json_t *measurement_json(const struct measurement *m);

#endif
