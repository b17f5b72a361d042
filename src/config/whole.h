/*
 * whole - what of a configuration only holds together: user and group, applications, directories,
 * sections.
 */
#ifndef DROVER_CONFIG_WHOLE_H
#define DROVER_CONFIG_WHOLE_H

#include "config/faults.h"
#include "config/given.h"
#include "config/settings.h"

/*
 * All has been read. Settles what depends on several values: the default address, who the workers
 * run as, and whether there is a ROOT. Of a command line without a file the first fault is told, of
 * a file all.
 */
void whole_check(struct settings *settings, const struct givens *givens, struct faults *faults);

#endif
