/*
 * module - an application in a shared object of its own (DROVER_MODULE in drover.h).
 */
#ifndef DROVER_CLI_MODULE_H
#define DROVER_CLI_MODULE_H

#include <drover.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Loads it, for as long as the process runs. Returns 0 and its application in *app, whose struct
 * is not looked at; or EX_NOINPUT, EX_NOPERM or EX_CONFIG, and what is wrong in `why`. A static
 * build has no dynamic linker, and refuses every module.
 */
int module_load(const char *path, const struct drover_app **app, char *why, size_t why_size);

/* Is another file by now what module_load() has loaded from that path? The process goes on with
 * what it has loaded first, and loads no other one under the same name. */
bool module_has_changed(const char *path, const struct drover_app *app);

#endif
