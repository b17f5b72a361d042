/*
 * output - where measurements go: a row in the terminal, a line in the result file, and the line
 * of progress while the next one is under way.
 */
#ifndef DROVER_LAB_CLI_OUTPUT_H
#define DROVER_LAB_CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lab/trial/measurement.h"

struct output {
    FILE *file;       /* owned; NULL: none */
    const char *path; /* borrowed */
    bool is_quiet;    /* no rows */
    bool has_failed;  /* something could not be written; it was told */

    /* Counts of wakeups or switches that the kernel has otherwise, by more than it may be. */
    unsigned differing;

    /* Called with each measurement, too; NULL: nothing. Set after output_open(). */
    void (*on_measurement)(const struct measurement *m, void *context);
    void *context;

    /* private */
    bool shows_progress;
    bool has_told_untraced;
    char heading[96]; /* of the table that the last row belongs to */
    int64_t started_ms;
    unsigned done, total;
    double weight_done, weight_total;
};

/* `path` NULL: no file; "-": standard output, and no rows. Returns 0, or -1 with errno set. */
int output_open(struct output *output, const char *path);

/* Closes it; returns 0, or -1 when something was not written, which was told. */
int output_close(struct output *output);

/* What is to come: so many measurements, whose durations have this sum, in any unit. */
void output_expect(struct output *output, unsigned total, double weight);

/* The next one is begun; its name and workload. No workers: there are none to speak of. */
void output_begin(struct output *output, const char *name, const char *workload, unsigned workers);

/* Takes the progress line away, for something else to be printed. */
void output_erase(const struct output *output);

/* It is over. */
void output_end(struct output *output, double weight);

/* A row and a line. Takes no ownership. */
void output_measurement(struct output *output, const struct measurement *m);

/* A line alone; takes ownership of the object, which may be NULL: no memory. */
void output_line(struct output *output, json_t *object);

/* A message on stderr that does not disturb the progress line; printf(3)'s format. */
void output_warn(struct output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
