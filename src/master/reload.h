/*
 * reload - a coming generation: made of what the configuration says now, on the slots there are.
 * Nothing changes until every one of its workers accepts; then the present ones leave. Whatever
 * goes wrong before that, the present generation goes on as it is.
 */
#ifndef DROVER_MASTER_RELOAD_H
#define DROVER_MASTER_RELOAD_H

#include "master/state.h"

/* Reads the configuration. One that is coming already is given up for it. */
void reload_begin(struct master *m);

/* A worker of the coming generation accepts, or is no longer wanted: it may be ready now. */
void reload_go_on(struct master *m);

/* What is coming is given up, for this reason. Nothing when nothing is. */
void reload_give_up(struct master *m, const char *why);

/* The same, to begin anew. Was one under way? */
bool reload_break_off(struct master *m, const char *why);

/* Frees the generations whose workers have all left. */
void reload_sweep(struct master *m);

#endif
