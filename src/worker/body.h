/*
 * body - the body of a request, read and dropped, so that the next request can be found behind it.
 */
#ifndef DROVER_WORKER_BODY_H
#define DROVER_WORKER_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "http/chunk.h"
#include "http/parse.h"

struct body {
    bool is_chunked;
    struct http_chunked chunked;
    uint64_t left; /* of a body whose length is known */
    uint64_t seen; /* of a chunked one */
};

/* The body that this request announces. */
struct body body_of(const struct http_request *request);

/*
 * Takes the body's bytes off the front of *input.
 *
 *   1  the body is whole, or there is none
 *   0  all of the input was taken, and more must come
 * < 0  minus the status: 400 for a malformed chunk, 413 past BODY_DISCARD_MAX
 */
int body_take(struct body *body, struct span *input);

#endif
