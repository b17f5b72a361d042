/*
 * report - what a run showed, for people or as JSON.
 */
#ifndef DROVER_LOAD_REPORT_H
#define DROVER_LOAD_REPORT_H

#include <stdint.h>

#include "base/buf.h"
#include "load/job.h"
#include "load/result.h"

/* All borrowed. */
struct report {
    const char *url;
    unsigned clients;
    uint64_t per_minute; /* the rate of an open loop; 0: a closed loop */
    const struct job *job;
    const struct result *result;
};

/* Several lines; the one that starts with "lost: " is always there. */
void report_text(const struct report *report, struct buf *out);

/* One object on one line. */
void report_json(const struct report *report, struct buf *out);

#endif
