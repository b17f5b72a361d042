/*
 * units - figures as a person reads them: few digits, and their unit. And texts that may hold
 * anything, as a terminal may have them.
 */
#ifndef DROVER_STATUS_UNITS_H
#define DROVER_STATUS_UNITS_H

#include <stdint.h>

#include "base/buf.h"

/* Bytes of each of these, with the NUL. */
#define UNITS_SIZE 24

/* Each fills `text`, and returns it. */
/* "0", "12345", from a million on "1.23M", "45.6G". */
const char *units_count(char text[UNITS_SIZE], double n);
/* "0 B", "512 B", "12.4 MB": by 1000. */
const char *units_bytes(char text[UNITS_SIZE], double n);
/* Microseconds: "57 us", "3.9 ms", "1.2 s". */
const char *units_time(char text[UNITS_SIZE], double us);
/* Milliseconds as two units at most: "0.4 s", "12 s", "3 min 2 s", "4 h 12 min", "3 d 4 h". */
const char *units_age(char text[UNITS_SIZE], int64_t ms);
/* "12:00:00", in the time of the place where that was today or yesterday; else "2026-01-31 12:00".
 * Both in milliseconds since the Epoch. */
const char *units_date(char text[UNITS_SIZE], int64_t date, int64_t now);

/* Appends it with '?' for what a terminal would obey, or is no UTF-8; at most `columns` characters,
 * the last three of them "..." where it is longer. 0: all of it. */
void units_safe(struct buf *to, const char *text, int columns);

#endif
