/*
 * logging - a worker's part in the server's log files: it writes to those that it was forked with,
 * until the master gives it others.
 */
#ifndef DROVER_WORKER_LOGGING_H
#define DROVER_WORKER_LOGGING_H

#include "worker/access.h"
#include "worker/conn.h"
#include "worker/order.h"
#include "worker/worker.h"

/* From here on answers have lines, if the job has an access log. Both are borrowed. */
void logging_open(struct access *access, struct conn_env *env, const struct worker_job *job);

/* An ORDER_LOGS with these descriptors, which it closes. What was gathered is in a file then, and
 * the old ones are not written to any more: REPORT_LOGS is due. */
void logging_change(const struct conn_env *env, const struct worker_job *job,
                    const struct order *order, const int *fds, size_t count);

#endif
