/*
 * leavers - workers that were told to leave, and have not given away yet what rests with them: it
 * is as safe as before. The standby of each stays until then. Where the worker ends, is stopped or
 * hangs first, its standby's successor takes what rests, and leaves in its stead.
 */
#ifndef DROVER_MASTER_LEAVERS_H
#define DROVER_MASTER_LEAVERS_H

#include "master/state.h"

/* This one was told to leave, or was made to leave and is ready. Without a standby that can be
 * woken nothing is to be waited for. */
void leavers_begin(struct master *m, struct child *child);

/* It has given away what rests, or knows nobody to give it to. */
void leavers_given(struct master *m, struct child *child);

/* To be called every turn, and when the next is to be at the latest. */
void leavers_tick(struct master *m);
int64_t leavers_next(const struct master *m);

#endif
