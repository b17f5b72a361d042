/*
 * fdpass - one process that accepts for all and hands the connections over (SCM_RIGHTS, unix(7)):
 * what the strategies with a dispatcher have in common. To whom is the strategy's.
 */
#ifndef DROVER_LAB_STRATEGIES_FDPASS_H
#define DROVER_LAB_STRATEGIES_FDPASS_H

#include "lab/trial/arena.h"
#include "lab/trial/worker.h"

/* The slot that is to get the next connection, of those that are not out; `last`: who got the one
 * before. */
typedef unsigned fdpass_choose_fn(const struct arena *arena, unsigned last);

/* Is it known to make no progress, or not to be there? */
bool fdpass_is_out(const struct arena *arena, unsigned slot);

/* Connections that it has, those that are on their way among them. */
uint64_t fdpass_load(const struct arena *arena, unsigned slot);

/* strategy.dispatch's part: as long as nothing fails. */
void fdpass_dispatch(struct arena *arena, struct tally *row, fdpass_choose_fn *choose);

/* strategy.prepare, open, on_stall, on_end, release; run and watch are own_epoll's. */
int fdpass_prepare(struct arena *arena);
int fdpass_open(struct lab_worker *worker);
void fdpass_on_stall(struct arena *arena, unsigned slot, bool is_stalled);
void fdpass_on_end(struct arena *arena, unsigned slot);
void fdpass_release(struct arena *arena);

#endif
