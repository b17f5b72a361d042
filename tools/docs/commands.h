/*
 * commands - the commands of the programs, and what each says of itself.
 */
#ifndef DROVER_DOCS_COMMANDS_H
#define DROVER_DOCS_COMMANDS_H

#include "docs/help.h"

/* Borrowed. */
struct command {
    const char *build;   /* the directory where the programs are */
    const char *program; /* as in "drover" */
    const char *name;    /* as in "serve"; NULL: the program has no commands */
    const char *line;    /* what the list of commands says of it */
};

/*
 * Calls fn for each command that `PROGRAM help` lists, help itself included, until it returns -1.
 * Returns 0, or -1; what failed here was told.
 */
int commands_each(const char *build, const char *program,
                  int (*fn)(void *context, const struct command *command), void *context);

/* What it prints; as command_help(). */
int command_output(const struct command *command, struct help *help);

/* What it says with --help; to be freed with help_free(). Returns 0, or -1 after it has told why.
 */
int command_help(const struct command *command, struct help *help);

#endif
