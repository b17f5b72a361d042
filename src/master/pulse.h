/*
 * pulse - looks at the board, often while it moves: who hangs, whose queue stands still, who is
 * full.
 *
 * A worker hangs when one turn of its loop lasts long without its having waited for a CPU: many
 * healthy workers on few CPUs look stalled without that. Only this, or a signal that stopped it,
 * starts the clock that ends a worker; a queue that stands still, or a worker that is full, only
 * has its slot served by others. A look that comes late itself proves nothing.
 */
#ifndef DROVER_MASTER_PULSE_H
#define DROVER_MASTER_PULSE_H

#include "master/state.h"

/* A worker has woken after a time in which nothing moved. */
void pulse_wake(struct master *m);

/* To be called every turn: looks when m->pulse_at has come, and sets it anew. */
void pulse_tick(struct master *m);

#endif
