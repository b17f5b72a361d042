/*
 * expectation - what was predicted of a strategy before it was measured here, and whether a
 * measurement agrees. The thresholds are those that were written down; a difference is reported as
 * one from its source, and never tuned away.
 */
#ifndef DROVER_LAB_TRIAL_EXPECTATION_H
#define DROVER_LAB_TRIAL_EXPECTATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lab/trial/measurement.h"

struct expectation {
    const char *strategy;
    const char *workload;
    const char *phase;  /* of its measurements; NULL: any */
    unsigned workers;   /* it is made for so many */
    bool is_pinned;     /* the settings that it is made for */
    const char *figure; /* in words: "wakeups a connection" */
    double (*value)(const struct measurement *m);
    double low, high; /* it is expected from low to high, both included; INFINITY: no bound */
    const char *source;
};

/* All of them; the last one has no strategy. */
extern const struct expectation expectations[];

/* Is this measurement one that the expectation is about? One that was skipped is, too. */
bool expectation_is_about(const struct expectation *e, const struct measurement *m);

/* Does this value of its figure agree? One that could not be had (NAN) does not. */
bool expectation_holds(const struct expectation *e, double value);

/* "0.95 to 1.05", "at least 0.99": what is expected, in words. */
void expectation_words(const struct expectation *e, char *text, size_t size);

/* A line of a result file: kind "expectation". NULL without memory. */
json_t *expectation_json(const struct expectation *e, double value);

#endif
