/*
 * plots - the drawings of a page: gnuplot scripts are gathered while the page is written, then all
 * are drawn at once, and each is put where its place in the page is.
 *
 * Nothing that a result file says reaches a script but numbers and names that plot_label() has
 * passed: a script can run programs.
 */
#ifndef DROVER_LAB_REPORT_PLOTS_H
#define DROVER_LAB_REPORT_PLOTS_H

#include <stddef.h>

#include "base/buf.h"

/* Colours of the page, as svg.h has them: what they stand for is report.css's. */
enum plot_colour {
    COLOUR_SERIES = 1, /* and the next three */
    COLOUR_GHOST = 5,  /* lines behind those that are spoken of */
    COLOUR_GRID,
    COLOUR_AXIS,
    COLOUR_REFERENCE, /* a line to hold beside */
    COLOUR_GOOD,
    COLOUR_LATE,
    COLOUR_LOST,
    COLOUR_USEFUL,
    COLOUR_VISIBLE,
    COLOUR_HIDDEN,
    COLOUR_USER,
    COLOUR_SYSTEM
};

struct plot {
    struct buf script; /* owned, as the rest */
    struct buf title;
    struct buf description;
};

struct plots {
    struct plot *all; /* owned */
    size_t count;
    size_t room;
};

/*
 * One more, whose place is the end of *page so far. Its script has the size, the terminal and the
 * common looks; what to plot is the caller's to append. The pointer is valid until the next one is
 * added. NULL without memory; *page has failed then.
 */
struct plot *plots_add(struct plots *plots, struct buf *page, unsigned width, unsigned height);
void plots_free(struct plots *plots);

/* Draws all, and appends the page, with each in its place. Returns 0, else a status of
 * gnuplot_run(), with the reason in *wrong. */
int plots_draw(const struct plots *plots, const struct buf *page, struct buf *out,
               struct buf *wrong);

/* Appends a name as a quoted string of gnuplot's; what has no business in a name is "?",
 * so is "%", which a tic would take for a format. */
void plot_label(struct buf *script, const char *name);

/* Appends a colour as gnuplot has it: rgb '#...'. */
void plot_colour(struct buf *script, unsigned colour);

#endif
