/*
 * succession - how a worker that has ended, or hangs, is succeeded by one that its standby makes.
 *
 * Such a successor is among the children before it is a process: is_awaited, with its row, and with
 * a channel in which it finds all that was said meanwhile. It takes the standby over from the
 * worker that it succeeds. The dead one's row stays as it is until the successor is ready, since
 * its desk lies there.
 *
 * A standby that does not do what it is to do is killed, and what it held is decided once it was
 * reaped: until then it may still act.
 */
#ifndef DROVER_MASTER_SUCCESSION_H
#define DROVER_MASTER_SUCCESSION_H

#include "master/state.h"

/* ----------------------------------------------------------------------- the successors */

/* Can its standby make another? */
bool succession_is_possible(const struct child *child);

/* A worker has ended: its standby is to make another, once the plan asks for one. False: it has
 * none, or that cannot. The child may be elsewhere then. */
bool succession_begin(struct master *m, const struct child *child);

/* The plan has been told of that end. Where another worker has the slot by now, or the next one is
 * long to come, the one that is awaited leaves what it has to others: true. */
bool succession_hand_over(struct master *m, const struct child *gone);

/* A worker that is stalled: its standby's successor takes its place, if it can. Of one that was
 * told to leave it takes what rests, and leaves. */
void succession_supersede(struct master *m, pid_t pid);

/* One that is awaited is made now. */
void succession_wake(struct master *m, struct child *child);

/* It has said its number; it is ready, with so many connections; it is not waited for any longer,
 * for the reason `why`, NULL where that is no news. */
void succession_named(struct master *m, struct child *child, int pid);
void succession_ready(struct master *m, struct child *child, int kept);
void succession_give_up(struct master *m, struct child *child, const char *why);

/* A standby has said something; or has ended, of one that is awaited. */
void succession_hear(struct master *m, int standby);
void succession_bereave(struct master *m, struct child *child);

/* Somebody unknown has ended: who was not told of yet is asked for. */
void succession_ask(struct master *m, pid_t pid);

/* A worker has ended, and was forgotten. */
void succession_forget(struct master *m, const struct child *gone);

/* --------------------------------------------------------------- those that were superseded */

/* It goes on, and finishes what is its own. */
void succession_back(struct master *m, struct child *child);

/* It was stopped or continued, after it had come back. */
void succession_stopped(struct master *m, struct child *child);

/* Its deadline has passed, or that of one which is awaited. */
void succession_late(struct master *m, struct child *child);

/* ------------------------------------------------------------------------------ the rest */

/* To be called every turn, and when the next is to be at the latest. */
void succession_tick(struct master *m);
int64_t succession_next(const struct master *m);

#endif
