/*
 * recruit - makes a worker: its channels, its row of the board, its part of what the master has.
 */
#ifndef DROVER_MASTER_RECRUIT_H
#define DROVER_MASTER_RECRUIT_H

#include "master/state.h"

enum recruited {
    RECRUIT_FORKED,
    RECRUIT_LACKS, /* a process, or memory for one: errno is EAGAIN, or ENOMEM */
    RECRUIT_FAILED,
};

/* Forks one for the slot; where that has a worker, it is the worker's successor. Sets errno where
 * it does not. */
enum recruited recruit_fork(struct master *m, struct generation *g, int slot);

/* Room for one more among the children, and a row of the board, which is returned; -1 with errno
 * set. */
int recruit_row(struct master *m, int slot);

/* Takes over a worker's channel, and hears it. recruit_row() was called before. NULL: it cannot be
 * heard, and is among the children all the same. */
struct child *recruit_enter(struct master *m, pid_t pid, struct generation *g, int slot, int row,
                            int channel);

/* In a child: closes what is the master's, but for the doors. */
void recruit_forsake(struct master *m);

#endif
