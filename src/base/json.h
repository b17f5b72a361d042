/*
 * json - text as JSON has it (RFC 8259), without a blank.
 *
 * Whoever writes members one after another needs no commas of their own: all but json_put_string()
 * and json_put_member() see from the last byte whether one is needed. No name is one of jansson's,
 * which drover-lab is linked with.
 */
#ifndef DROVER_BASE_JSON_H
#define DROVER_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Appends a string in its quotes. JSON is UTF-8: a byte that belongs to no character becomes
 * U+FFFD. */
void json_put_string(struct buf *to, const char *text);

/* Appends "name":"text". */
void json_put_member(struct buf *to, const char *name, const char *text);

/* An object or an array: its bracket, '{' or '['; and the end of it. Of all of these, name is NULL
 * for an element of an array, and for the outermost. */
void json_put_open(struct buf *to, const char *name, char bracket);
void json_put_close(struct buf *to, char bracket);

void json_put_text(struct buf *to, const char *name, const char *text);
void json_put_int(struct buf *to, const char *name, int64_t value);
void json_put_count(struct buf *to, const char *name, uint64_t value);
void json_put_bool(struct buf *to, const char *name, bool value);
void json_put_null(struct buf *to, const char *name);

/* With three decimals. JSON has no number that is not finite: null. */
void json_put_number(struct buf *to, const char *name, double value);

#endif
