/*
 * outlet - what a connection has still to send: what is left of a prepared answer, or bytes of
 * answers; then a file's part, then what the application gives when it is asked.
 */
#ifndef DROVER_WORKER_OUTLET_H
#define DROVER_WORKER_OUTLET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "worker/exchange.h"
#include "worker/payload.h"

/* Zeroed: nothing. */
struct outlet {
    struct buf bytes;                 /* owned */
    size_t at;                        /* so many of them were sent */
    struct drover_prepared *prepared; /* held; what it has in `rest` */
    struct span rest;
    struct payload *payload; /* owned */
    struct exchange *pulled; /* borrowed; NULL once its last piece was pulled */
};

enum outlet_result {
    OUTLET_EMPTY,
    OUTLET_BLOCKED, /* the socket takes no more now, or the turn is over */
    OUTLET_STARVED, /* the application has no more now */
    OUTLET_FAILED,  /* the connection is gone, or the rest cannot be had */
};

/* The rest of this answer is next; it must be all there is. */
void outlet_put_prepared(struct outlet *outlet, struct drover_prepared *prepared, struct span rest);

/* Sends what can be sent without waiting. *sent grows by what left. */
enum outlet_result outlet_send(struct outlet *outlet, int socket, uint64_t *sent);

void outlet_free(struct outlet *outlet);

/* Sends bytes at once. `more`: others follow. Returns how many left, -1 when the connection is
 * gone. */
ssize_t outlet_write(int socket, const char *bytes, size_t length, bool more);

/* Bytes that the socket has taken and the client has not, yet. */
uint64_t outlet_queued(int socket);

#endif
