/*
 * report - what a run showed, for people or as JSON.
 */
#ifndef DROVER_LOAD_REPORT_H
#define DROVER_LOAD_REPORT_H

#include <stdbool.h>

#include "base/buf.h"
#include "load/run.h"

struct report {
    const char *url; /* borrowed */
    unsigned clients;
    bool close;
    const struct run_result *result; /* borrowed */
};

/* Several lines; the one that starts with "lost: " is always there. */
void report_text(const struct report *report, struct buf *out);

/* One object on one line. */
void report_json(const struct report *report, struct buf *out);

#endif
