/*
 * json - text as JSON has it (RFC 8259).
 */
#ifndef DROVER_BASE_JSON_H
#define DROVER_BASE_JSON_H

#include "base/buf.h"

/* Appends a string in its quotes. JSON is UTF-8: a byte that belongs to no character becomes
 * U+FFFD. */
void json_put_string(struct buf *to, const char *text);

/* Appends "name":"text". */
void json_put_member(struct buf *to, const char *name, const char *text);

#endif
