/*
 * html - text into HTML, and numbers as people read them.
 */
#ifndef DROVER_LAB_REPORT_HTML_H
#define DROVER_LAB_REPORT_HTML_H

#include "base/buf.h"

/*
 * Appends text that may stand between tags and inside quoted attributes. What is no UTF-8 and no
 * character of HTML (control characters) becomes U+FFFD; a newline is kept.
 */
void html_text(struct buf *out, const char *text);

/* Appends <tag>text</tag>, the text escaped. */
void html_element(struct buf *out, const char *tag, const char *text);

/* A figure with three significant digits or so, and a thin space between thousands: "1.02",
 * "15.9", "1 234"; a dash for NAN. */
void html_number(struct buf *out, double value);

/* A number of things: whole ones have no digits after the point. */
void html_count(struct buf *out, double value);

/* html_number() as plain text, for a plot's title. */
void number_words(char *text, size_t size, double value);

/* How many names of a sentence are listed before "and 3 more". */
#define NAMES_MAX 6

/* Appends names of an array as in a sentence, escaped: "a, b and c". Each is a <code>. */
void html_names(struct buf *out, const char *const names[], size_t count);

#endif
