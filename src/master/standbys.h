/*
 * standbys - the processes beside the workers that outlive them (worker/standby.h), as the master
 * has them: who they are, whether they can be woken, and when they have ended.
 *
 * A worker makes its own and says who it is, which is not trusted: nobody is signalled for a
 * worker's word who is no child of the master, or is one that is known as another.
 */
#ifndef DROVER_MASTER_STANDBYS_H
#define DROVER_MASTER_STANDBYS_H

#include "master/state.h"

/* Before a worker is forked that is to use this row: ends[0] is the master's end of its standby's
 * channel, both are -1 where it is to have none. */
void standbys_open(struct master *m, const struct generation *g, int row, int ends[2]);

/* A worker was forked with such a channel, which is taken over; -1: without. */
void standbys_expect(struct master *m, struct child *child, int channel);

/* A worker has said who its standby is. */
void standbys_told(struct master *m, struct child *child, const struct report *report);

/* Does it sleep, ready for an order? */
bool standbys_can_wake(const struct standby *standby);

/* A process has ended, was stopped or continued. True: it was a standby. */
bool standbys_reaped(struct master *m, pid_t pid, int status);

/* This worker's is not wanted any more; or its channel alone, upon whose end it leaves by itself.
 */
void standbys_dismiss(struct master *m, struct child *child);
void standbys_close(struct master *m, struct child *child);

/* This worker has ended. Where workers do in a row before they have said who their standby is, or
 * why they cannot start, making one may be what ends them: for a while none is made. */
void standbys_doubt(struct master *m, const struct child *child);

/* There are as many processes as there may be, and the slot's worker wants one: a standby of
 * another gives its place, or has done so for it and is about to end, and for a while no further
 * ones are made. False: there is none. */
bool standbys_make_room(struct master *m, int slot);

/* This worker has lost its own: a fresh one, with a fresh standby, which loses nothing of what it
 * has, is to take its place. So it is for those that go without since processes were too few: one
 * by one, once there are enough. */
void standbys_relieve(struct master *m, struct child *child);

/* The fresh one is not to be had, or would have no standby either. True: it was to be for that
 * alone, and the worker stays; the plan was told. NULL: there is none. */
bool standbys_forgo_relief(struct master *m, struct child *child);

/* Is that a child of this process whom nobody knows? One that has ended counts until it was reaped,
 * and the one that is being reaped now. */
bool standbys_is_new_child(const struct master *m, pid_t pid);

/* The desk of a row; NULL: there are none. */
struct desk *standbys_desk(const struct master *m, int row);

/* To be called every turn, and when the next is to be at the latest. */
void standbys_tick(struct master *m);
int64_t standbys_next(const struct master *m);

#endif
