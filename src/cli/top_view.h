/*
 * top_view - what `drover top` shows: the server, its workers as a table, and its last events, as
 * far as the screen has room. A screen that is too narrow has fewer columns, one that is too low
 * has fewer lines of each.
 */
#ifndef DROVER_CLI_TOP_VIEW_H
#define DROVER_CLI_TOP_VIEW_H

#include <stdbool.h>

#include "cli/top_screen.h"
#include "cli/top_table.h"

/* What the keys have asked for, and what is to be told. */
struct view {
    enum column sort;
    bool is_reversed;
    int scroll; /* rows of the table that are above; view_draw() keeps it to what there is */
    bool is_help;
    bool is_paused;
    const char *absence; /* why there is no server to look at; NULL: there is one */
    const char *message; /* one line; "": none */
    const char *hint;    /* which keys there are, where nothing else is told; "": none */
};

/* Rows of the table that had room, for whoever scrolls by pages. The snapshot is all zero when no
 * server was seen yet. */
int view_draw(struct view *view, const struct snapshot *snapshot, const struct table *table,
              struct screen *screen);

/* Moves the choice to the next column that this width shows; -1: to the one before. */
void view_choose(struct view *view, int direction, int width);

#endif
