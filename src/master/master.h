/*
 * master - opens the doors, forks the workers, and sees to it that every slot is served, until it
 * is told to stop. No client's byte ever reaches it.
 */
#ifndef DROVER_MASTER_MASTER_H
#define DROVER_MASTER_MASTER_H

#include "config/configuration.h"

/*
 * Runs a server with a configuration that was applied, and takes it over; the addresses' port 0 is
 * replaced. A reload reads the next one from `source`, which is borrowed. Returns, in the master
 * alone, the status to exit with (sysexits.h); a worker exits by itself. An error before the first
 * worker was forked is logged, one of the application's before_fork, too.
 */
int master_run(struct configuration *first, const struct configuration_source *source);

#endif
