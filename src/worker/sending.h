/*
 * sending - how the answers of a connection leave, and what it does then.
 */
#ifndef DROVER_WORKER_SENDING_H
#define DROVER_WORKER_SENDING_H

#include "worker/conn.h"

/* Sends what was gathered, and the payload behind it, which becomes the connection's. `turn_over`:
 * unanswered requests wait, and it is another's turn. */
enum conn_want sending_flush(struct conn *conn, struct conn_env *env, struct payload *payload,
                             bool turn_over);

/* Goes on with what the socket had no room for, or the application has more of. */
enum conn_want sending_go_on(struct conn *conn, struct conn_env *env, bool turn_over);

#endif
