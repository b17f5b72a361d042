/*
 * reload - replaces the workers by fresh ones, one after the other, so that the rest serves
 * meanwhile. It is given up when a fresh one does not start.
 */
#ifndef DROVER_MASTER_RELOAD_H
#define DROVER_MASTER_RELOAD_H

#include "master/state.h"

/* From the first slot on, also when one is under way. */
void reload_begin(struct master *m);

/* This slot has a worker that accepts, or needs none: on to the next, if it was this one's turn. */
void reload_go_on(struct master *m, int slot);

/* The worker of this slot did not start. */
void reload_give_up(struct master *m, int slot);

#endif
