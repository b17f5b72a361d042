/*
 * answer - what a response becomes: preconditions and ranges are applied, and the head, and what
 * of the body is at hand, become bytes.
 */
#ifndef DROVER_WORKER_ANSWER_H
#define DROVER_WORKER_ANSWER_H

#include "worker/exchange.h"

enum answer {
    ANSWER_WHOLE,    /* all of it is in `out`, or in the payload */
    ANSWER_PULLED,   /* the body comes by answer_pull(); the exchange stays */
    ANSWER_UPGRADED, /* a 101: after it, the connection is a stream */
};

/*
 * Appends head and body to `out`. What is to be sent by sendfile(2) afterwards comes in *payload,
 * owned by the caller; NULL if there is none. `last`: the connection closes after this answer;
 * exchange->close tells whether it does.
 */
enum answer answer_write(struct exchange *exchange, struct buf *out, struct payload **payload,
                         bool last);

/* A body of unknown length can only end with the connection in 1.0 (RFC 9112, 6.3). */
bool answer_ends_by_close(const struct exchange *exchange);

/* Appends the page of an error that ends the connection, whatever the request was. The method, as
 * far as it is known: for HEAD the page is left away. */
void answer_refuse(struct exchange *exchange, struct buf *out, int status, enum http_method method);

enum answer_piece {
    PIECE_MORE,
    PIECE_LAST,
    PIECE_LATER, /* nothing now */
    PIECE_FAILED,
};

/* Appends the next piece of a pulled body, framed as the head has said. */
enum answer_piece answer_pull(struct exchange *exchange, struct buf *out);

#endif
