/*
 * tenure - a worker's look at whether it is still the one who serves: it may have been superseded
 * while it hung, or was stopped (standby.h).
 */
#ifndef DROVER_WORKER_TENURE_H
#define DROVER_WORKER_TENURE_H

#include <stdbool.h>

#include "worker/desk.h"
#include "worker/self.h"

/* It has a standby: its desk is its row's from here on. */
void tenure_begin(struct worker *w);

/* It was not, or is not, or that is open. False: the worker has to end. */
bool tenure_heed(struct worker *w);

/* To be called every turn, before anything of it leaves. */
static inline bool tenure_look(struct worker *w)
{
    return !w->desk || desk_is_own(w->desk, w->round) || tenure_heed(w);
}

#endif
