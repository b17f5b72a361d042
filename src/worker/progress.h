/*
 * progress - what a client must not dribble for: its deadline starts anew when enough has moved.
 */
#ifndef DROVER_WORKER_PROGRESS_H
#define DROVER_WORKER_PROGRESS_H

#include "worker/conn.h"

/* Arms the connection's deadline, and counts from here on. */
void progress_arm(struct conn *conn, struct conn_env *env, enum deadline_kind kind);

/* So many bytes have moved: arms it when `enough` have since, or when it was not armed yet. */
void progress_note(struct conn *conn, struct conn_env *env, enum deadline_kind kind, uint64_t moved,
                   uint64_t enough);

/* A socket is writable only once much of what it holds has gone: has a client that takes its answer
 * all the time, but slowly, taken enough of it since DEADLINE_SEND was armed? */
bool progress_is_enough(const struct conn *conn);

#endif
