/*
 * greeting - the PROXY header that a proxy in front sends before the first byte of a connection.
 */
#ifndef DROVER_WORKER_GREETING_H
#define DROVER_WORKER_GREETING_H

#include "base/span.h"
#include "worker/conn.h"

enum greeting {
    GREETING_WHOLE,   /* *rest is what came behind it; borrowed from the connection or the buffer */
    GREETING_MORE,    /* it is not whole */
    GREETING_REFUSED, /* close: nobody knows where a request would start */
};

/* Reads, and remembers who the client is. */
enum greeting greeting_read(struct conn *conn, struct conn_env *env, struct span *rest);

#endif
