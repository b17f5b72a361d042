/*
 * launch - what `drover serve` and drover_main() have in common: an application, settings, and
 * the words for what is wrong with them, which go to stderr behind settings->program.
 */
#ifndef DROVER_CLI_LAUNCH_H
#define DROVER_CLI_LAUNCH_H

#include <drover.h>
#include <stdbool.h>

#include "cli/source.h"
#include "config/settings.h"

/* Is --help or -h among the arguments? */
bool launch_wants_help(int argc, char *const argv[]);

/* The options and, of an application that was checked, the keys. `app` may be NULL. */
void launch_help(const struct settings *settings, const struct drover_app *app);

/*
 * Whether the application can be used; `named` is what messages call it. Returns 0 or EX_CONFIG.
 */
int launch_check(const struct settings *settings, const struct drover_app *app, const char *named);

/* Reads the configuration, says what is wrong with it, or serves. Returns the status to exit with.
 */
int launch_run(struct source *source);

/* Prints a message, of one or more lines, each with the program's name before it unless that is
 * NULL, as errors of the journal if that is where they go; returns the status. */
int launch_fail(const struct settings *settings, int status, const char *why);

#endif
