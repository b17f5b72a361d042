/*
 * scale - more workers, or fewer, on signals and by `drover scale N`. Workers are wanted in the
 * slots from 0 on; a slot, once made, stays, and those without a worker are adopted.
 *
 * What was asked for by the verb has come to its end when the new workers accept; those that are
 * too many have left the plan by then, and finish what they have. When one of the new ones does not
 * start, none of them is wanted any more. A reload, or an upgrade, that is under way begins anew
 * with the number; the number holds until the configuration has another one.
 */
#ifndef DROVER_MASTER_SCALE_H
#define DROVER_MASTER_SCALE_H

#include <stddef.h>

#include "master/state.h"

void scale_up(struct master *m);
void scale_down(struct master *m);

/* The argument of the verb, of n bytes: a number from 1 to SLOTS_MAX. False: it is none, and why
 * has what is allowed. */
bool scale_read(struct master *m, const char *argument, size_t n, char *why, size_t size);

/* So many workers, m->scale.asked, are wanted from here on. Whoever waits for another number is
 * told that. */
void scale_begin(struct master *m);

/* To be called every turn: has it come to its end? */
void scale_tick(struct master *m);

/* One more slot, empty, whose doors the workers know: one of them has adopted it. Returns its
 * number, or -1 with errno set. */
int scale_add_slot(struct master *m);

#endif
