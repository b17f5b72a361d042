/*
 * reaper - the ends of children, and their being stopped and continued: told in words, and to their
 * generation's plan.
 */
#ifndef DROVER_MASTER_REAPER_H
#define DROVER_MASTER_REAPER_H

#include "master/state.h"

/* After a SIGCHLD: reaps, until nothing is left. */
void reaper_reap(struct master *m);

#endif
