/*
 * exchange - one request and its answer: the room between the connection, which has bytes, and
 * the application, which sees drover.h.
 *
 * A worker has one exchange and uses it for every request in turn; what it grew stays, so that a
 * request allocates nothing in the steady state.
 */
#ifndef DROVER_WORKER_EXCHANGE_H
#define DROVER_WORKER_EXCHANGE_H

#include <drover.h>
#include <stdbool.h>
#include <time.h>

#include "base/buf.h"
#include "base/limits.h"
#include "http/date.h"
#include "http/parse.h"
#include "worker/payload.h"

/* What drover.h calls a request. */
struct drover_request {
    struct http_request head; /* spans into the connection's bytes */
    size_t path_length;
    char path[FILE_PATH_MAX + 1];
};

/* What drover.h calls a response. */
struct drover_response {
    int status;
    bool has_body; /* something was appended or a file was set */
    bool has_modified;
    time_t modified;
    int fd; /* owned; -1: the body is in `body` */
    uint64_t size;
    struct buf fields; /* field lines */
    struct buf body;
    struct buf type;
    struct buf etag;
};

struct exchange {
    const struct drover_app *app; /* borrowed */
    struct drover_request request;
    struct drover_response response;
    bool close;        /* the answer at hand says Connection: close */
    uint64_t boundary; /* of the next multipart answer: nothing that a file would hold */
    time_t now;
    char date[HTTP_DATE_LENGTH + 1];
};

void exchange_open(struct exchange *exchange, const struct drover_app *app);
void exchange_free(struct exchange *exchange);

/* Tells the time, once a turn; the Date line is made anew only when the second has changed. */
void exchange_tick(struct exchange *exchange, time_t now);

/*
 * Answers the request in exchange->request.head, which was parsed and whose body has been read:
 * appends head and body to `out`. What is to be sent by sendfile(2) afterwards comes in *payload,
 * owned by the caller; NULL if there is none. `last`: the connection closes after this answer.
 * Returns whether the connection stays open.
 */
bool exchange_run(struct exchange *exchange, struct buf *out, struct payload **payload, bool last);

/* Appends the page of an error that ends the connection, whatever the request was. */
void exchange_refuse(struct exchange *exchange, struct buf *out, int status);

#endif
