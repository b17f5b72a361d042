/*
 * announce - says, once, that every worker accepts: a line for a person, --ready-fd for a program.
 */
#ifndef DROVER_MASTER_ANNOUNCE_H
#define DROVER_MASTER_ANNOUNCE_H

#include "master/state.h"

/* Does nothing until every slot is live, and nothing once it was done. */
void announce(struct master *m);

#endif
