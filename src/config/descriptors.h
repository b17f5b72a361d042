/*
 * descriptors - how many connections a process has descriptors for (RLIMIT_NOFILE, getrlimit(2)).
 *
 * A worker needs as many as its connections may come to hold, all at once: without one it could not
 * accept, or not open what it is asked for. The listeners and inboxes of all slots, and SPARE_FDS,
 * come on top.
 */
#ifndef DROVER_CONFIG_DESCRIPTORS_H
#define DROVER_CONFIG_DESCRIPTORS_H

#include <stdint.h>

#include "config/settings.h"

/* No limit, or none that can be known. */
#define DESCRIPTORS_UNLIMITED INT64_MAX

/* Raises this process's limit as far as it may. Returns the limit that holds then. */
int64_t descriptors_raise(void);

/* Of --max-connections, how many fit into a limit; at least 1. */
int64_t descriptors_fit(const struct settings *settings, int64_t limit);

/* The limit that all of --max-connections fit into. */
int64_t descriptors_wanted(const struct settings *settings);

#endif
