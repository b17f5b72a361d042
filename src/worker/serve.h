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

/* A connection's bytes, and what comes of them. */
struct service {
    struct conn *conn;
    struct conn_env *env;
    struct span in;          /* not served yet */
    struct payload *payload; /* what follows the last answer from a file; owned by the caller */
    struct span head;        /* private: of the request at hand */
};

/* Serves one request from the front of service->in: appends its answer to env->out, or lends it in
 * env->lent. */
enum served serve_next(struct service *service);

/* A deferred answer is complete. `in` is what has come behind its request. */
enum served serve_late(struct service *service);

/* The last answer, for a request that cannot be served. What else the client sent is not read. */
enum served serve_refusal(struct conn *conn, struct conn_env *env, int status,
                          const struct refused *refused);

/* What was lent, which there is, becomes bytes of env->out; or it will not be sent, if there is
 * any. */
void serve_write_lent(struct conn_env *env);
void serve_drop_lent(struct conn_env *env);

/* Whose request application code is about to be called for, as the desk has it: that of an exchange
 * which is its connection's own. NULL: none any more, or none that was. */
void serve_note(const struct conn_env *env, const struct exchange *exchange);

/* The answer has left: its exchange is the worker's again, or gone. */
void serve_end(struct conn *conn, struct conn_env *env);

/* From here on the connection is the application's stream; `in` came for it. False when it is not
 * wanted, or memory ran out. */
bool serve_stream(struct conn *conn, struct conn_env *env, const struct drover_protocol *protocol,
                  struct span in);

#endif
