/*
 * finding - what `drover doctor` has found, a line of it each, as text and as JSON.
 */
#ifndef DROVER_CLI_FINDING_H
#define DROVER_CLI_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum grade {
    GRADE_OK,
    GRADE_NOTE, /* drover runs, and does less than it could */
    GRADE_BAD,  /* drover cannot run */
};

#define FINDING_TEXT_SIZE 512

struct finding {
    const char *what; /* a literal */
    enum grade grade;
    char found[FINDING_TEXT_SIZE];
    char means[FINDING_TEXT_SIZE];
    char change[FINDING_TEXT_SIZE]; /* how to have it otherwise; "": there is nothing to change */
};

#define FINDINGS_MAX 40

/* A zeroed struct has none. */
struct findings {
    size_t count;
    struct finding list[FINDINGS_MAX];
};

/* A further one, GRADE_OK and without words. It stays where it is. */
struct finding *findings_add(struct findings *findings, const char *what);

/* The three texts, by format, cut at FINDING_TEXT_SIZE. */
void finding_found(struct finding *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void finding_means(struct finding *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void finding_change(struct finding *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

size_t findings_of(const struct findings *findings, enum grade grade);

/*
 * "GRADE  WHAT  FOUND: MEANS", wrapped for a terminal of 96 columns, with "-> CHANGE" below it, and
 * a last line that says whether drover can run. Bytes that could harm a terminal are shown as \xNN.
 */
void findings_text(const struct findings *findings, struct buf *to);

/* {"version":..,"can_run":..,"findings":[{"what":..,"grade":..,"found":..,"means":..,"change":..}]}
 */
void findings_json(const struct findings *findings, const char *version, struct buf *to);

#endif
