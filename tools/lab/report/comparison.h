/*
 * comparison - two result files, and the figures in which they differ (change.h).
 */
#ifndef DROVER_LAB_REPORT_COMPARISON_H
#define DROVER_LAB_REPORT_COMPARISON_H

#include "lab/report/change.h"
#include "lab/report/groups.h"
#include "lab/report/results.h"

struct side {
    const char *path; /* borrowed */
    struct results results;
    struct groups groups;
};

struct difference {
    const struct group *group; /* of A */
    const struct change_figure *figure;
    struct sample a, b;
};

struct comparison {
    struct side a, b;
    struct difference *all; /* owned: those that are one, the largest first */
    size_t count;
    size_t compared;  /* figures that both have */
    size_t by_spread; /* of these: the spread judged */

    /* private */
    size_t room;
    struct noise *noises;
    size_t noise_count;
    bool failed;
};

/* Compares what the two sides' results say. Settings whose bit is in `blind` keep nothing apart
 * (groups.h). Returns false without memory; comparison_free() is due either way. */
bool comparison_make(struct comparison *comparison, unsigned blind);
void comparison_free(struct comparison *comparison);

#endif
