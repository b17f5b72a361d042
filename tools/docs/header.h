/*
 * header - a C header as a part of a manual: its comments are the text, its declarations the terms.
 */
#ifndef DROVER_DOCS_HEADER_H
#define DROVER_DOCS_HEADER_H

#include "base/buf.h"

/*
 * Adds the header in this file, in mdoc: a subsection for each comment that begins with a row of
 * dashes, a list for each comment with what is declared below it. Returns 0, or -1 after it has
 * told why not.
 */
int header_manual(struct buf *to, const char *file);

#endif
