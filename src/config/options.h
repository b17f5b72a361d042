/*
 * options - the one table of what can be set: name, type, default, bounds, one line of help. A row
 * makes the long option, its line in --help, and its error messages.
 */
#ifndef DROVER_CONFIG_OPTIONS_H
#define DROVER_CONFIG_OPTIONS_H

#include <stdio.h>

#include "config/settings.h"

/* Bytes for a message, with its NUL. */
#define OPTIONS_WHY_SIZE 512

/*
 * Every option at its default, for `drover serve`. Where an application has a command line of its
 * own, `program` becomes its name and `app` NULL before the rest: the options of the static site,
 * and --app, are then refused and not shown.
 */
void options_defaults(struct settings *settings);

/*
 * Reads `--name value`, `--name=value`, and one argument that is not an option: ROOT. Then checks
 * what only holds together: user, group, application, ROOT. The settings borrow from argv.
 *
 * Returns 0, or the status to exit with (EX_USAGE, EX_NOINPUT, EX_NOPERM), and in `why` what is
 * wrong with which value, and what is allowed.
 */
int options_read(struct settings *settings, int argc, char *const argv[],
                 char why[OPTIONS_WHY_SIZE]);

/* A line an option, with its default. */
void options_print(FILE *to, const struct settings *settings);

/* One such line, "  --ROW   (default: FALLBACK)", and the help, wrapped and indented. */
void options_print_row(FILE *to, const char *row, const char *fallback, const char *help);

#endif
