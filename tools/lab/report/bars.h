/*
 * bars - a plot of horizontal bars, one a name, each of up to three parts one behind the other, the
 * largest on top.
 */
#ifndef DROVER_LAB_REPORT_BARS_H
#define DROVER_LAB_REPORT_BARS_H

#include "lab/report/page.h"

#define BAR_PARTS_MAX 3

struct bar_part {
    const char *words; /* of the legend; static */
    enum plot_colour colour;
    bool is_light; /* an outline with little in it, so that colour is not all that tells it apart */
};

struct bar {
    const char *name;
    double parts[BAR_PARTS_MAX]; /* none is NAN */
    double order;                /* bars are sorted by it, the largest first */
    double value;                /* written at its end; NAN: the sum of the parts */
};

struct bars {
    const char *title; /* for those who do not see it */
    const char *x_label;
    const char *unit; /* behind a value in words: "us", ""; static */
    struct bar_part parts[BAR_PARTS_MAX];
    size_t part_count;
    double most; /* where the axis ends; 0: behind the longest bar */
    struct bar all[CAST_MAX];
    size_t count;
};

/* Appends the legend and the plot; sorts the bars. */
void bars_draw(struct bars *bars, struct page *page);

#endif
