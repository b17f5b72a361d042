/*
 * record - what the master writes to the board: what the server is, how its slots and workers are,
 * why workers have ended, samples of the sums, and as events what it logs.
 *
 * Most of it is copied once a turn, by record_tick(), out of what the master has anyway. What only
 * a moment knows is told when it comes.
 */
#ifndef DROVER_MASTER_RECORD_H
#define DROVER_MASTER_RECORD_H

#include <sys/resource.h>

#include "master/state.h"

/* The board was opened. What is logged from here on are its events. */
void record_open(struct master *m);

/* In a child, and at the end: this process writes no more of the master's part, and hands the board
 * to nobody. */
void record_leave(struct master *m);

/* To be called every turn, and before somebody is told of what has changed, since that one may look
 * at once. */
void record_tick(struct master *m);

/* When the next turn must be at the latest for the sake of a sample; CLOCK_NEVER while the pulse
 * makes turns enough. */
int64_t record_next(const struct master *m);

/* A worker was reaped, with this status and use; it is still among the children. */
void record_end(struct master *m, const struct child *child, int status, const struct rusage *used);

/* Pure: why it has ended, with this status of waitpid(2). */
enum board_end record_cause(const struct child *child, int status);

/* Pure: has a signal ended it that nobody had asked for, in the midst of its work? One that was
 * superseded, too, still was at that. */
bool record_is_crash(const struct child *child, int status);

/* What was asked for has come to its end. */
void record_outcome(struct master *m, enum outcome_kind kind, int status);

/* That has befallen a worker of the slot, which was at the request of that first line, "" at none.
 * Where it does in a row, that is logged. */
void record_crash(struct master *m, int slot, const char *request);

/* A standby's successor goes on for a worker that has ended, or hangs; and when it is ready, with
 * so many connections. */
void record_succession(struct master *m, bool is_hang);
void record_kept(struct master *m, int count);

/* A slot's queue was looked at. */
void record_queue(struct master *m, int slot, uint64_t queued, uint64_t drops);

#endif
