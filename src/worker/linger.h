/*
 * linger - the end of a connection whose client may not have read all (RFC 9112, 9.6): a close with
 * unread bytes is a reset, which may overtake the answer. So it is said that nothing more comes,
 * and read on until the client is done.
 */
#ifndef DROVER_WORKER_LINGER_H
#define DROVER_WORKER_LINGER_H

#include "worker/conn.h"

enum conn_want linger_start(struct conn *conn, struct conn_env *env);

/* Drops what has come. */
enum conn_want linger_step(struct conn *conn, struct conn_env *env);

#endif
