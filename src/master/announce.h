/*
 * announce - says, once, that every worker accepts: a line for a person, --ready-fd for a program.
 */
#ifndef DROVER_MASTER_ANNOUNCE_H
#define DROVER_MASTER_ANNOUNCE_H

#include "master/state.h"

/* Does nothing until every wanted worker is live, and nothing once it was done. */
void announce(struct master *m);

/* What is served: "/srv/www", "echo", "3 sites", "/srv/www and 2 sites". */
void announce_what(const struct generation *generation, char *text, size_t size);

/* Where clients come in, with this between two places. */
void announce_places(const struct generation *generation, const char *between, char *out,
                     size_t size);

/* Closes --ready-fd. Descriptor 0 or 1 is made /dev/null instead, and 2, the log's, stays. */
void announce_close(const struct settings *settings);

#endif
