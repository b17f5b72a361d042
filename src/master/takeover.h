/*
 * takeover - the new master's side of an upgrade: what it inherits from the old one, and saying
 * that it serves. See upgrade.h for what goes between them.
 */
#ifndef DROVER_MASTER_TAKEOVER_H
#define DROVER_MASTER_TAKEOVER_H

#include "master/state.h"

/*
 * Takes what was inherited, if anything: sockets into the doors of the present generation, whose
 * addresses get the ports that are bound; the pid file. Returns 0, or the status to exit with, its
 * cause told.
 */
int takeover_begin(struct master *m);

/* Slots there must be, though no worker is wanted in all of them: their queues may hold clients. */
int takeover_slots(const struct master *m);

/* Every worker accepts: the old master's may leave. Nothing when there is none. */
void takeover_end(struct master *m);

/* False: the sockets and their files are another master's, which goes on if this one ends. */
static inline bool takeover_is_done(const struct master *m)
{
    return m->predecessor < 0 || m->is_announced;
}

#endif
