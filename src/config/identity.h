/*
 * identity - which user and group the names --user and --group stand for.
 */
#ifndef DROVER_CONFIG_IDENTITY_H
#define DROVER_CONFIG_IDENTITY_H

#include <stddef.h>

#include "os/child.h"

/*
 * Names or numbers; NULL: not given. Returns 0, or EX_USAGE for a name that is not known, EX_NOPERM
 * when this process may not become that user; then *which of "user" and "group" is wrong, and *what
 * is, in words. Both are static.
 */
int identity_resolve(const char *user, const char *group, struct child_identity *identity,
                     const char **which, const char **what);

#endif
