/*
 * admin_doors - where the admin process listens: the sockets of --admin, and an inbox, in the doors
 * of one slot, a generation's own.
 */
#ifndef DROVER_MASTER_ADMIN_DOORS_H
#define DROVER_MASTER_ADMIN_DOORS_H

#include <stddef.h>

#include "master/estate.h"
#include "master/generation.h"

/* Into the present generation, at the start: what an old master had, and what was lent, as far as
 * --admin wants it. */
void admin_doors_take(struct generation *g, const struct holding *from, const struct holding *lent);

/*
 * Opens the sockets of a generation: what `present`, which may be NULL, has for the same addresses
 * is shared with it, and so is what was lent. Returns 0, or the status to exit with, and why.
 */
int admin_doors_open(struct generation *g, const struct generation *present,
                     const struct holding *lent, char *why, size_t why_size);

/* Closes those that the other generation, which may be NULL, does not have, and removes the files
 * of such unix sockets. */
void admin_doors_close(struct generation *g, const struct generation *other);

#endif
