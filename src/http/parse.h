/*
 * parse - the head of one HTTP/1.x request (RFC 9112), strict about framing.
 *
 * Bytes in, spans out: nothing is copied, nothing is kept, no descriptor and no clock. The spans
 * point into the bytes that were given and live as long as they do; but a path that was left out
 * is a static "/".
 *
 * Refused, since each has been used to smuggle requests: a bare CR or LF, space before a colon,
 * obs-fold, control bytes in names or values, Content-Length beside Transfer-Encoding, lengths
 * that differ, a transfer coding other than "chunked" alone, a missing or repeated Host in 1.1.
 */
#ifndef DROVER_HTTP_PARSE_H
#define DROVER_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/span.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_PATCH,
    HTTP_OPTIONS,
    HTTP_CONNECT,
    HTTP_TRACE,
    HTTP_METHOD_UNKNOWN, /* a well-formed token that RFC 9110 and 5789 do not define */
};

struct http_field {
    struct span name;
    struct span value; /* without the white space around it */
};

struct http_request {
    enum http_method method;
    int minor; /* HTTP/1.minor: 0 or 1 */
    struct span method_name;
    struct span target;    /* as it was sent */
    struct span path;      /* of the target, still encoded, starts with '/'; empty for "*" and for
                            * the authority form */
    struct span query;     /* without the '?'; empty when there is none */
    struct span authority; /* of an absolute or authority form, else the Host field's value */

    bool keep_alive;         /* the client wants the connection kept (RFC 9112, 9.3) */
    bool chunked;            /* the body is chunked */
    bool expect_continue;    /* Expect: 100-continue, in 1.1 */
    bool expect_unknown;     /* any other expectation: 417 (RFC 9110, 10.1.1) */
    bool has_conditions;     /* one of If-*, or Range, is among the fields (RFC 9110, 13 and 14) */
    uint64_t content_length; /* 0 when there is none */

    size_t field_count;
    struct http_field fields[HTTP_FIELDS_MAX];
};

/*
 * Parses one request head from the start of the bytes.
 *
 *  > 0  whole: so many bytes were the head, any empty line before it included; *request is set
 *    0  not whole yet: call again with the same bytes and more
 *  < 0  bad: minus the status to answer before the close: 400, 414, 431, 501, 505
 *
 * 414 and 431 are for what is longer than limits.h has it: the request line; a field line, the
 * fields' number, the whole head (RFC 9110, 15.5.15 and RFC 6585, 5).
 *
 * How the bytes were split into calls never changes the outcome: what is wrong is found at the
 * first wrong byte, in the order of the bytes. At most one empty line may precede the request.
 * *request is undefined unless the result is > 0, but for the method, unless length is 0: it is
 * HTTP_GET as long as the method is not known.
 */
int http_parse_head(struct http_request *request, const char *bytes, size_t length);

/* Is this a token, not empty (RFC 9110, 5.6.2)? */
bool http_is_token(struct span s);

/* Could this be a field's value: neither end its line nor hide something in it (RFC 9110, 5.5)?
 * s.p is not NULL. */
bool http_is_value(struct span s);

#endif
