/*
 * faults - what is wrong with a configuration, a line a fault, and where.
 */
#ifndef DROVER_CONFIG_FAULTS_H
#define DROVER_CONFIG_FAULTS_H

#include <stddef.h>

/* Lines of faults, where nobody has said how many: a log, and who waits for a reload, get so many.
 * And at most: more than anybody mends before the next try. */
#define FAULTS_SHOWN     20
#define FAULTS_SHOWN_MAX 1000

/* Where a value, or what should have been one, stands. */
struct place {
    const char *file; /* NULL: on the command line */
    unsigned line;    /* from 1 on */
    unsigned column;  /* from 1 on, in characters; a byte that is no UTF-8 counts as one */
};

/* All zero but for the text and its size is the start. */
struct faults {
    char *text; /* borrowed; the lines, without a LF behind the last */
    size_t size;
    size_t used;
    unsigned most;  /* lines, as far as there is room; 0: FAULTS_SHOWN */
    unsigned count; /* those that are not in the text too */
    unsigned shown;
    struct {
        size_t start;  /* of its line in the text */
        unsigned line; /* of the file; of one that is not of the file, as the one before */
    } of[FAULTS_SHOWN_MAX];
    int status; /* to exit with: EX_CONFIG when one is in a file, else that of the first */
};

/*
 * Adds one, "FILE:LINE:COLUMN: ..." where it stands in a file. Bytes that could harm a terminal,
 * controls and what is not UTF-8, are shown as \xNN. Those of a file are in the order of its
 * lines; of many the first that are added are kept.
 */
void faults_add(struct faults *faults, const struct place *place, int status, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

/* Says how many more there are than are shown, and that drover check tells all of the file; NULL:
 * it does not. The last call. */
void faults_end(struct faults *faults, const char *file);

#endif
