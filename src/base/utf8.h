/*
 * utf8 - characters of UTF-8 (RFC 3629).
 */
#ifndef DROVER_BASE_UTF8_H
#define DROVER_BASE_UTF8_H

#include <stddef.h>

/* Bytes of the character that starts here, 1 to 4; 0 when these n bytes start with none. */
size_t utf8_length(const char *bytes, size_t n);

/* The same of one that a terminal shows where it stands and does nothing else; 0 for a control,
 * too, and for what turns the direction of a line, is a line's end, or cannot be seen. */
size_t utf8_shown(const char *bytes, size_t n);

/* Puts a "?" into the place of each byte that is of no such character. */
void utf8_make_shown(char *bytes, size_t n);

/* Characters in n bytes; a byte that belongs to none counts as one. */
size_t utf8_count(const char *bytes, size_t n);

#endif
