/*
 * lineup - the applications of a configuration, found, checked and told apart: the server's own,
 * and those of its sections.
 *
 * A static site is an application of its own each time. What is built in, or a module, is one
 * application however many sites name it, with one set of keys.
 */
#ifndef DROVER_CLI_LINEUP_H
#define DROVER_CLI_LINEUP_H

#include <drover.h>

#include "cli/columns.h"
#include "cli/files.h"
#include "config/faults.h"
#include "config/given.h"
#include "config/settings.h"
#include "worker/sites.h"

struct lineup {
    struct sites sites; /* what the worker gets */
    struct routes *routes;
    size_t room; /* of the next three, owned */
    struct site_app *apps;
    const struct settings **told; /* whose keys they have */
    struct files *files;          /* of those that are static sites */
    struct columns columns;       /* of their metrics */
    const char *stale;            /* as in struct configuration */
};

/* What they are made of; all is borrowed for as long as the lineup is. */
struct lineup_parts {
    const struct settings *settings;
    const struct givens *givens;
    const struct drover_app *app; /* of a program that has one; NULL: settings->app names it */
};

/*
 * Fills in a zeroed one, which stays where it is; what is wrong is in `faults`. What depends on an
 * application that is not known is not looked at.
 */
void lineup_open(struct lineup *lineup, const struct lineup_parts *parts, struct faults *faults);
void lineup_close(struct lineup *lineup);

#endif
