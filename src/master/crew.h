/*
 * crew - the workers as the master has them: forks them, tells them what their generation's plan
 * asks for, and hears what they report. Their ends are the reaper's.
 */
#ifndef DROVER_MASTER_CREW_H
#define DROVER_MASTER_CREW_H

#include "master/state.h"

/* An event has come: does what the plan makes of it. */
void crew_step(struct master *m, struct generation *g, enum plan_event event, int slot);

/* A coming generation is the present one now: it adopts what it has no workers for. */
void crew_take_over(struct master *m, struct generation *g);

/* Every worker of a generation that is no longer the present one leaves: to the present one, or if
 * there is none any more, to nobody. `closing`: as in order.h. */
void crew_dismiss_all(struct master *m, struct generation *g, uint32_t closing);

/* Those that leave already can hand over nothing any more: the server stops. */
void crew_hurry(struct master *m);

/* Those that were held since the server has not taken over yet accept from now on. */
void crew_begin(struct master *m);

/* Tells the workers of the present generation of a slot that was made after them. */
void crew_tell_doors(struct master *m, int slot);

/* Gives all workers of a generation new log files. */
void crew_tell_logs(struct master *m, const struct generation *g, struct order *order,
                    const int *fds, size_t count);

/* Tells one worker; `fds` come along. */
void crew_send(const struct child *child, const struct order *order, const int *fds,
               size_t fd_count);

/* This one leaves, for a reason that its slot's plan does not know. */
void crew_dismiss(struct master *m, struct child *child);

/* The same for one that leaves already, and had all the time that it wants until now. */
void crew_hurry_one(const struct master *m, const struct child *child);

/* How many workers are wanted. */
int crew_size(const struct generation *g);

/* Heeds all that the worker at this channel has said. */
void crew_hear(struct master *m, int channel);

/* What waits at a shared socket was announced to this worker alone: the others look there, too. */
void crew_wake_others(const struct master *m, const struct child *child);

/* SIGKILL for those that should have left by now. */
void crew_end_late(struct master *m);

/* SIGKILL for all, and for the admin process. */
void crew_kill(struct master *m);

#endif
