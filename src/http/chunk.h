/*
 * chunk - the chunked transfer coding (RFC 9112, 7.1), read as it comes.
 *
 * Strict: sizes are 1 to 16 hex digits, every line ends with CRLF, chunk data is followed by CRLF,
 * extensions are well formed and a size line has HTTP_CHUNK_LINE_MAX bytes at most, trailer
 * fields obey the rules of field lines and have HTTP_TRAILERS_MAX bytes at most.
 */
#ifndef DROVER_HTTP_CHUNK_H
#define DROVER_HTTP_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/span.h"

/* Zeroed: before the first chunk. The members are private. */
struct http_chunked {
    uint64_t left; /* bytes of the present chunk that are still to come */
    uint32_t line; /* bytes of the present line, or of the trailers, so far */
    uint8_t state;
    uint8_t digits; /* of the present size */
};

/*
 * Takes bytes off the front of *input. One call gives at most one piece of data: *data is set to
 * the body bytes found, borrowed from the input, possibly none.
 *
 *   1  the body and its trailers are whole; what is left in *input belongs to the next request
 *   0  go on: call again if *input is not empty, else when more has come
 *  -1  malformed: 400 and close
 *
 * How the input is split never changes the data, taken together, nor the outcome.
 */
int http_chunked_read(struct http_chunked *chunked, struct span *input, struct span *data);

#endif
