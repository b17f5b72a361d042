/*
 * serve - makes answers of the bytes that a client has sent.
 */
#ifndef DROVER_WORKER_SERVE_H
#define DROVER_WORKER_SERVE_H

#include "base/span.h"
#include "worker/conn.h"

/* What has come of a request's service. */
enum served {
    SERVED,   /* it is answered; the next may follow */
    STARVED,  /* more of it must come */
    HELD,     /* the application has not answered it yet, or not all: the exchange is kept */
    UPGRADED, /* the connection is a stream now */
    BROKEN,   /* memory ran out: nothing more can be said */
};

/*
 * Serves one request from the front of *in: appends its answer to env->out, and what follows that
 * from a file comes in *payload, owned by the caller.
 */
enum served serve_next(struct conn *conn, struct conn_env *env, struct span *in,
                       struct payload **payload);

/* A deferred answer is complete. `in`: what has come behind its request. */
enum served serve_late(struct conn *conn, struct conn_env *env, struct span *in,
                       struct payload **payload);

/* The last answer, for a request that cannot be served, of this method or HTTP_GET if that is not
 * known. What else the client sent is not read. */
enum served serve_refusal(struct conn *conn, struct conn_env *env, int status,
                          enum http_method method);

/* The answer has left: its exchange is the worker's again, or gone. */
void serve_end(struct conn *conn, struct conn_env *env);

/* From here on the connection is the application's stream; `in` came for it. False when it is not
 * wanted, or memory ran out. */
bool serve_stream(struct conn *conn, struct conn_env *env, const struct drover_protocol *protocol,
                  struct span in);

#endif
