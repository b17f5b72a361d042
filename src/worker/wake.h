/*
 * wake - the connections that the application has something for: a list that the worker runs
 * through at the end of its turn, so that nothing is entered while it is being left.
 */
#ifndef DROVER_WORKER_WAKE_H
#define DROVER_WORKER_WAKE_H

#include "worker/conn.h"

/* Puts it at the end of the list, if it is not there. `context`: the struct conn_env. */
void conn_note_wake(void *context, struct conn *conn);

/* Takes it off the list, if it is there. */
void conn_forget_wake(struct conn_env *env, struct conn *conn);

#endif
