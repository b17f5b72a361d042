/*
 * lines - small plots side by side, one a family, with a line a name; behind them, in grey, the
 * lines of all others. Both axes are logarithmic.
 */
#ifndef DROVER_LAB_REPORT_LINES_H
#define DROVER_LAB_REPORT_LINES_H

#include "lab/report/page.h"

/* Points of a line at most. */
#define LINE_POINTS_MAX 64

struct line {
    const char *name;
    size_t count;
    struct {
        double x, y;
    } points[LINE_POINTS_MAX]; /* by x */
};

struct lines {
    const char *title;               /* of the whole, for those who do not see it */
    const char *x_label, *y_label;   /* static, as the next ones */
    const char *x_tics;              /* in gnuplot's words */
    const char *x_words, *y_words;   /* "idle workers", "wakeups": in a sentence */
    const char *reference;           /* a line to hold beside, in gnuplot's words; NULL */
    const struct families *families; /* borrowed */
    struct line *all;                /* one a name, in the families' order; owned by the caller */
};

/* Takes in all points of names of one kind under one workload; `x` gives a group's place, or NAN.
 * Returns how many lines have points. */
size_t lines_gather(struct lines *lines, const struct page *page, const char *kind,
                    const char *workload, const char *field,
                    double (*x)(const struct group *group));

/* Appends the plots. */
void lines_draw(const struct lines *lines, struct page *page);

#endif
