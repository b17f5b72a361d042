/*
 * results - what result files say: JSON lines (jsonlines.org), one object a measurement, an
 * expectation or a claim. Several files are joined; rows of different machines are told apart.
 *
 * A line that is no such object fails the whole file, with FILE:LINE:COLUMN. Only the last line may
 * be cut short, as a run that was ended leaves it: it is told and passed over. Fields that nobody
 * knows are let be.
 */
#ifndef DROVER_LAB_REPORT_RESULTS_H
#define DROVER_LAB_REPORT_RESULTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* One line. All texts are borrowed from the object; one that is not there is "". */
struct result {
    json_t *line; /* owned by the results */
    const char *kind;
    const char *name;
    const char *workload;
    const char *phase;
    const char *skipped; /* why there are no figures; NULL: there are */
    unsigned workers;
    unsigned machine; /* its number among the machines */
};

struct results {
    struct result *rows; /* owned, in the order of the files */
    size_t count;
    char **machines; /* owned: a line of words each, in the order in which they appear */
    size_t machine_count;
    struct buf notes; /* owned: what was passed over; a line each, "" mostly */
};

/*
 * Adds what a file says. The struct is zeroed before the first. Returns 0, else EX_NOINPUT when it
 * cannot be read, EX_DATAERR when it is none, or has nothing in it, EX_OSERR without memory; the
 * reason, a line, is then in *wrong.
 */
int results_read(struct results *results, const char *path, struct buf *wrong);

/* The same of bytes that are there. */
int results_parse(struct results *results, const char *path, const char *bytes, size_t length,
                  struct buf *wrong);
void results_free(struct results *results);

/* A figure: "jain", or with its object's name "latency_us.p99". NAN when it is null or absent. */
double result_number(const struct result *result, const char *field);

/* A text; "" when it is absent. What is no text is written as JSON into *room, of `size` bytes. */
const char *result_text(const struct result *result, const char *field, char *room, size_t size);

/* All losses of all causes together; NAN when nothing is known of them. */
double result_lost(const struct result *result);

/* It is of the kind "strategy" or "model". */
bool result_is_measurement(const struct result *result);

#endif
