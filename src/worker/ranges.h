/*
 * ranges - which parts of a file, or of what was prepared from one, an answer holds (RFC 9110, 14).
 */
#ifndef DROVER_WORKER_RANGES_H
#define DROVER_WORKER_RANGES_H

#include "http/range.h"
#include "worker/exchange.h"

/* One, the whole or a range, or several ranges. */
struct selection {
    int count; /* 0: there is no such part, and the answer is a 416 */
    struct http_range ranges[HTTP_RANGES_MAX];
};

/* What is sent of this response's file; makes it a 206 or 416 where it has to be. */
struct selection ranges_select(struct exchange *exchange);

/* Appends Content-Range as a field line. */
void ranges_say(struct buf *out, const struct http_range *range, uint64_t size);

/*
 * Several parts as multipart/byteranges, which becomes the response's type, and what stands between
 * them (RFC 9110, 14.6); *length is that of all. NULL when memory ran out.
 */
struct payload *ranges_multipart(struct exchange *exchange, const struct selection *selection,
                                 uint64_t *length);

#endif
