/*
 * text - a snapshot as a table for a person: what `drover status` prints.
 */
#ifndef DROVER_STATUS_TEXT_H
#define DROVER_STATUS_TEXT_H

#include "base/buf.h"
#include "status/snapshot.h"

struct text_style {
    int width;     /* columns of the terminal; 0: there is none, nothing is cut or left out */
    bool is_vivid; /* with SGR of ECMA-48: what is wrong stands out */
};

/* Appends it: lines, each with its end. */
void status_text(struct buf *to, const struct snapshot *snapshot, const struct text_style *style);

#endif
