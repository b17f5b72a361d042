/*
 * scale - more workers, or fewer, on signals. Workers are wanted in the slots from 0 on; a slot,
 * once made, stays, and those without a worker are adopted.
 */
#ifndef DROVER_MASTER_SCALE_H
#define DROVER_MASTER_SCALE_H

#include "master/state.h"

void scale_up(struct master *m);
void scale_down(struct master *m);

/* One more slot, empty, whose doors the workers know: one of them has adopted it. Returns its
 * number, or -1 with errno set. */
int scale_add_slot(struct master *m);

#endif
