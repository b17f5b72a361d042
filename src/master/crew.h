/*
 * crew - the workers as the master has them: forks them, tells them what the plan asks for, hears
 * what they report, and reaps them.
 */
#ifndef DROVER_MASTER_CREW_H
#define DROVER_MASTER_CREW_H

#include "master/state.h"

/* An event has come: does what the plan makes of it. */
void crew_step(struct master *m, enum plan_event event, int slot);

/* Opens one more slot, empty, and hands its doors to the workers there are: one of them will have
 * to adopt it. Returns its number, or -1 with errno set. */
int crew_add_slot(struct master *m);

/* How many workers are wanted. */
int crew_size(const struct master *m);

/* After a SIGCHLD: reaps, until nothing is left. */
void crew_reap(struct master *m);

/* SIGKILL for those that should have left by now. */
void crew_end_late(struct master *m);

/* SIGKILL for all. */
void crew_kill(struct master *m);

#endif
