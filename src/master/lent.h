/*
 * lent - the sockets of the service manager that this server was started with (socket activation):
 * which of them a configuration wants, by name, by address, or all, when it has no `listen`.
 *
 * The master keeps them all for its whole life, wanted or not, so that a later configuration can
 * have them: the service manager passes them only at a start. What --admin wants by name is not
 * among all.
 */
#ifndef DROVER_MASTER_LENT_H
#define DROVER_MASTER_LENT_H

#include <stddef.h>

#include "config/settings.h"
#include "master/estate.h"

/*
 * Puts the addresses of lent sockets in place of their names. Returns 0, or the status to exit
 * with, and in `why` what is wrong: there is none of that name, or there are too many addresses.
 */
int lent_resolve(struct settings *settings, const struct holding *lent, char *why, size_t why_size);

/* A line in the log for each that neither these doors nor the admin process's have: its clients
 * wait in vain. */
void lent_warn_unused(const struct holding *lent, const struct doors *doors,
                      const struct doors *admin);

#endif
