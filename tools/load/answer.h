/*
 * answer - one HTTP/1.x answer to a GET, read as it comes: bytes in, outcome out.
 *
 * Strict, since it judges a server: lines end with CRLF, no folded lines, no length beside a
 * transfer coding, chunks as RFC 9112, 7.1 writes them. 1xx answers before the final one are
 * passed over. How the bytes are split never changes what comes out.
 */
#ifndef DROVER_LOAD_ANSWER_H
#define DROVER_LOAD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum answer_state {
    ANSWER_MORE,      /* not whole yet */
    ANSWER_WHOLE,     /* its last byte has come */
    ANSWER_CUT,       /* the connection ended before it was whole */
    ANSWER_MALFORMED, /* this is not HTTP/1 */
};

/* Bytes that are kept of one line when it comes in pieces. Longer lines pass unless they decide
 * the framing: status line, chunk size, Content-Length, Transfer-Encoding, Connection. */
#define ANSWER_LINE_MAX 512

struct answer {
    enum answer_state state;
    int status;        /* of the final answer; 0 until its status line has come */
    bool started;      /* a byte has come */
    bool close;        /* the server closes the connection after this answer */
    uint64_t body;     /* bytes of the body so far, without its framing */
    uint32_t checksum; /* of these bytes; 0 unless they are summed */

    /* private */
    uint8_t part;
    bool summed;
    bool old; /* HTTP/1.0: closes unless it says otherwise */
    bool keep_alive;
    bool coded;    /* has a Transfer-Encoding */
    bool chunked;  /* whose last coding is chunked */
    bool sized;    /* has a Content-Length */
    uint64_t left; /* bytes to come: of the body, or of the present chunk */
    size_t line_n; /* true length of the line so far; the first ANSWER_LINE_MAX bytes are kept */
    char line[ANSWER_LINE_MAX];
};

/* Makes ready for the next answer; `summed`: with a checksum of its body, which costs time. */
void answer_start(struct answer *a, bool summed);

/*
 * Reads on. Returns how many bytes belong to this answer: all of them, unless it became whole or
 * malformed on the way.
 */
size_t answer_feed(struct answer *a, struct span bytes);

/* The connection ended: an answer that is delimited by that becomes whole, any other is cut. */
void answer_end(struct answer *a);

#endif
