/*
 * work - what is incomplete at a connection. Between conn.c, which moves bytes, and serve.c, which
 * makes answers of them; nothing else includes it.
 */
#ifndef DROVER_WORKER_WORK_H
#define DROVER_WORKER_WORK_H

#include "worker/body.h"
#include "worker/conn.h"
#include "worker/outlet.h"
#include "worker/stream.h"

struct conn_work {
    struct buf in;    /* bytes that were not dealt with yet; none while a body is being read */
    size_t rescan_at; /* parse again from this length on */
    bool in_body;     /* of the request in `exchange` */
    struct body body;
    int64_t begun_us; /* the turn that had the first byte of what is incomplete, or waits; 0 */
    struct exchange *exchange;    /* owned; that of a request that takes more than its turn */
    struct outlet outlet;         /* owned */
    struct drover_stream *stream; /* owned; of CONN_STREAMING */
    uint64_t progress;            /* bytes since the deadline for a body, or to send, was armed */
    uint64_t queued;              /* bytes that the socket held when the latter was armed */
    uint64_t dropped;             /* bytes while lingering */
    struct access_open *logged;   /* owned; the line of an answer that has not left whole; NULL */
};

/* The connection's, made when there is none yet. NULL when memory ran out. */
struct conn_work *work_of(struct conn *conn);

/* The application has answered, and the rest of the body, which is still to come, is not waited
 * for: its client may itself wait. */
bool work_is_early(const struct conn_work *work);

/* What is to be done now was begun in an earlier turn, if there is work; notes it for the request
 * that is answered next. And that something of it stays undone at the end of the turn. */
void work_resume(const struct conn *conn, struct conn_env *env);
void work_remember(struct conn_work *work, const struct conn_env *env);

/* Gives back all that it owns. */
void work_free(struct conn *conn);

#endif
