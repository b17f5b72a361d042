/*
 * body - the body of a request, as it comes off the connection, piece by piece.
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
    uint64_t left;    /* of a body whose length is known */
    uint64_t dropped; /* bytes that nobody wanted */
};

/* The body that this request announces. */
struct body body_of(const struct http_request *request);

/* None is 0, so that a caller may return one where 0 is something else. */
enum body_next {
    BODY_PIECE = 1, /* *piece is the next of it, borrowed from the input */
    BODY_WHOLE,     /* that was all */
    BODY_MORE,      /* all of the input was taken, and more must come */
    BODY_REFUSED,   /* a malformed chunk */
};

/* Takes the next piece off the front of *input. */
enum body_next body_next(struct body *body, struct span *input, struct span *piece);

/* Counts bytes that nobody wants. False when these, and those that are known to come, are more than
 * BODY_DISCARD_MAX. */
bool body_drop(struct body *body, uint64_t bytes);

#endif
