/*
 * apps - the application that --app names: one that is built in, or a module.
 */
#ifndef DROVER_CLI_APPS_H
#define DROVER_CLI_APPS_H

#include <drover.h>
#include <stddef.h>

/*
 * A name with a '/' in it is a module's path, any other one is built in; `files` is what "static"
 * stands for. Returns 0 and the application, which stays for good, in *app; or the status to exit
 * with (EX_USAGE, EX_NOINPUT, EX_NOPERM, EX_CONFIG), and what is wrong in `why`.
 */
int apps_find(const char *name, const struct drover_app *files, const struct drover_app **app,
              char *why, size_t why_size);

/* The names of those that are built in; NULL past the last. */
const char *apps_name(size_t i);

#endif
