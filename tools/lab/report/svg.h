/*
 * svg - a drawing of gnuplot's made part of a page: its colours are the page's, its marks have
 * names of their own, and a reader that does not see it is told what is on it. Pure.
 *
 * A script asks for a colour of the page as "#0100NN" (hexadecimal), which becomes var(--cN), with
 * N in decimal digits; black becomes currentColor.
 */
#ifndef DROVER_LAB_REPORT_SVG_H
#define DROVER_LAB_REPORT_SVG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct svg_words {
    const char *prefix;      /* of all ids: letters, digits and dashes */
    const char *title;       /* escaped here, as the next one */
    const char *description; /* in a sentence or two, what is seen */
};

/* Appends the drawing as an <svg> for HTML. Returns false when the bytes are no drawing. */
bool svg_embed(struct buf *out, const char *drawing, size_t length, const struct svg_words *words);

#endif
