/*
 * conditional - does a request's precondition hold (RFC 9110, 13)?
 */
#ifndef DROVER_HTTP_CONDITIONAL_H
#define DROVER_HTTP_CONDITIONAL_H

#include <stdbool.h>
#include <time.h>

#include "http/parse.h"

struct http_validators {
    struct span etag; /* with its quotes, and W/ if weak; empty: the representation has none */
    time_t modified;  /* seconds since the Epoch; only if has_modified */
    bool has_modified;
};

/*
 * Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of
 * RFC 9110, 13.2.2, all lines of a repeated field together. A date that cannot be read makes its
 * field void. `now` is for dates with two-digit years.
 *
 * Returns 0 to go on, 304, or 412.
 */
int http_precondition(const struct http_request *request, const struct http_validators *has,
                      time_t now);

/*
 * May the Range field be applied? True without an If-Range field, or if its strong entity tag or
 * its date, exactly, is that of the representation (RFC 9110, 13.1.5).
 */
bool http_if_range(const struct http_request *request, const struct http_validators *has,
                   time_t now);

#endif
