/*
 * options - reads what a server is told to do: the command line, and the file that it names.
 */
#ifndef DROVER_CONFIG_OPTIONS_H
#define DROVER_CONFIG_OPTIONS_H

#include <stdio.h>

#include "config/faults.h"
#include "config/given.h"
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
 * Reads `--name value`, `--name=value`, `-c FILE`, and one argument that is not an option: ROOT.
 * Then the file, all of it, and checks what only holds together: user, group, application, ROOT.
 * The settings borrow from argv and from `givens`, which starts empty.
 *
 * What is wrong is in `faults`, and what is allowed: every value of the command line, and all of
 * the file; where what an argument is cannot be told, that alone, and nothing behind it. Their
 * status: EX_USAGE, EX_NOINPUT, EX_NOPERM, EX_CONFIG.
 */
void options_read(struct settings *settings, int argc, char *const argv[], struct givens *givens,
                  struct faults *faults);

/* A line an option, with its default. */
void options_print(FILE *to, const struct settings *settings);

/* One such line, "  --ROW   (default: FALLBACK)", and the help, wrapped and indented. */
void options_print_row(FILE *to, const char *row, const char *fallback, const char *help);

#endif
