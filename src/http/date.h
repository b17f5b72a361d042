/*
 * date - HTTP dates (RFC 9110, 5.6.7). Independent of locale and time zone.
 */
#ifndef DROVER_HTTP_DATE_H
#define DROVER_HTTP_DATE_H

#include <stdbool.h>
#include <time.h>

#include "base/span.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define HTTP_DATE_LENGTH 29

/* Writes HTTP_DATE_LENGTH bytes and a NUL. Years 0 to 9999 only; others are clipped to them. */
void http_date_format(char out[HTTP_DATE_LENGTH + 1], time_t date);

/*
 * Reads IMF-fixdate, RFC 850 and asctime dates. A two-digit year that would be more than 50 years
 * after `now` is of the century before. Returns false, *date left alone, on anything else: days
 * that a month does not have too, but the name of the day is not checked against the date.
 */
bool http_date_parse(struct span s, time_t now, time_t *date);

#endif
