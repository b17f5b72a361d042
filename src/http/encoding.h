/*
 * encoding - which content coding an answer may have (RFC 9110, 12.5.3).
 */
#ifndef DROVER_HTTP_ENCODING_H
#define DROVER_HTTP_ENCODING_H

#include "http/parse.h"

/* Bits, so that a set of them can be offered. */
enum http_coding {
    HTTP_CODING_NONE = 0, /* none of those offered is acceptable */
    HTTP_CODING_BR = 1,
    HTTP_CODING_ZSTD = 2,
    HTTP_CODING_GZIP = 4,
    HTTP_CODING_IDENTITY = 8, /* as it is */
};

/* "br", "zstd" or "gzip", as Content-Encoding has it; NULL for identity and none. Static. */
const char *http_coding_name(enum http_coding coding);

/*
 * Chooses among the offered codings by the value of an Accept-Encoding field; value.p is NULL when
 * there is no such field.
 *
 * The largest weight wins; equal ones go to br, zstd, gzip, identity, in this order. "*" stands for
 * what the list does not name. Identity, unless it is forbidden by "identity;q=0" or by "*;q=0"
 * without its name, is acceptable without being named, but only after all others.
 *
 *   - x-gzip is gzip (RFC 9110, 8.4.1.3). Case is ignored; codings that are not known are passed
 *     over. Of one that is named twice the first weight counts.
 *   - A weight that is not as 12.4.2 has it, or anything else behind a coding, makes it
 *     unacceptable; behind identity and "*", which would make too much so, it voids the member.
 *   - Without the field all codings are acceptable, and identity is chosen if it is offered: who
 *     does not say that he can decode mostly cannot. With an empty one, identity alone is.
 *
 * Returns one coding, or HTTP_CODING_NONE.
 */
enum http_coding http_coding_choose(struct span value, unsigned offered);

/* The same for a request, all of whose Accept-Encoding lines are one list (RFC 9110, 5.3). */
enum http_coding http_request_coding(const struct http_request *request, unsigned offered);

#endif
