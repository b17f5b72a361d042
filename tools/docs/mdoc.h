/*
 * mdoc - text as mdoc(7) has it: what would be markup is escaped, a sentence begins a line.
 */
#ifndef DROVER_DOCS_MDOC_H
#define DROVER_DOCS_MDOC_H

#include "base/buf.h"

/* A sentence, or several; a full stop is added where none ends it. */
void mdoc_text(struct buf *to, const char *text);

/*
 * What is typed, as arguments of a macro's line: options as Fl, words in capitals as Ar, what
 * stands in brackets as Op, other words as Cm. No line end.
 */
void mdoc_typed(struct buf *to, const char *text);

/* A row of a list, for what is typed: ".It " and so on, with its line end. */
void mdoc_item(struct buf *to, const char *typed);

/* As it stands, for a literal display: line by line. */
void mdoc_literal(struct buf *to, const char *text, size_t n);

#endif
