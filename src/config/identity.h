/*
 * identity - which user and group the names --user and --group stand for.
 */
#ifndef DROVER_CONFIG_IDENTITY_H
#define DROVER_CONFIG_IDENTITY_H

#include <stddef.h>

#include "os/child.h"

/*
 * Names or numbers; NULL: not given. Returns 0, or EX_USAGE for a name that is not known, EX_NOPERM
 * when this process may not become that user, with the reason in `why`.
 */
int identity_resolve(const char *user, const char *group, struct child_identity *identity,
                     char *why, size_t why_size);

#endif
