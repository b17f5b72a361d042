/*
 * sigio - a worker that sleeps in sigwaitinfo(2) and is told of descriptors by signals: what the
 * two strategies with signals have in common. Who is told of the listener is the strategy's.
 *
 * A descriptor's signal is a real-time one (F_SETSIG, fcntl(2)), which is queued, one for each
 * event, and says which descriptor it is about. When the queue is full (RLIMIT_SIGPENDING) a plain
 * SIGIO comes instead, which says nothing: then everything is looked at. The same is done when a
 * worker is told by a SIGIO to take over what somebody else has missed.
 */
#ifndef DROVER_LAB_STRATEGIES_SIGIO_H
#define DROVER_LAB_STRATEGIES_SIGIO_H

#include "lab/trial/arena.h"
#include "lab/trial/worker.h"

/* strategy.prepare's part: the listener sends signals, to nobody yet. */
int sigio_prepare(const struct arena *arena);

/* strategy.open's part: the worker blocks what it waits for. */
int sigio_open(struct lab_worker *worker);

/* Has the listener's signals sent to this process, or to this process group if it is negative, and
 * no longer to who had them. Returns 0, or -1 with errno set. */
int sigio_own(const struct arena *arena, pid_t owner);

/* strategy.run, and strategy.watch. */
void sigio_run(struct lab_worker *worker);
int sigio_watch(struct lab_worker *worker, int fd);

#endif
