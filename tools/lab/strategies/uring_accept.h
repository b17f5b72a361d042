/*
 * uring_accept - a worker with an io_uring of its own, in which an accept request waits at its
 * door: what the strategies with a ring have in common. It is in worker->own.
 *
 * The connections that it keeps are watched by poll requests, one for each wait, since a request
 * that stays would hold the connection open after close(2).
 */
#ifndef DROVER_LAB_STRATEGIES_URING_ACCEPT_H
#define DROVER_LAB_STRATEGIES_URING_ACCEPT_H

#include <stdbool.h>

#include "lab/trial/worker.h"

/* strategy.open's part: the request waits when it returns. `is_multishot`: it stays there. -1 with
 * errno set. */
int uring_accept_open(struct lab_worker *worker, bool is_multishot);

/* strategy.run, and strategy.watch. */
void uring_accept_run(struct lab_worker *worker);
int uring_accept_watch(struct lab_worker *worker, int fd);

#endif
