/*
 * tables - what the manuals have of the code's own tables: a list in mdoc, a row an option, a key
 * or a command.
 *
 * Each returns 0, or -1 after it has told on stderr what is wrong.
 */
#ifndef DROVER_DOCS_TABLES_H
#define DROVER_DOCS_TABLES_H

#include "base/buf.h"

/* The options of drover serve, of a part: "server", "site" for the static site's. */
int tables_options(struct buf *to, const char *build, const char *part);

/* The same as keys of the configuration file, with what is allowed; "section" has those that stand
 * in [site NAME] sections alone. */
int tables_keys(struct buf *to, const char *build, const char *part);

/* The commands of a program in this directory, each with what its --help says, and no other's. */
int tables_commands(struct buf *to, const char *build, const char *program);

/* What several of them say, in the same words. */
int tables_shared(struct buf *to, const char *build, const char *program);

/* The options of a program that has no commands. */
int tables_program(struct buf *to, const char *build, const char *program);

/* What its help explains beside them. */
int tables_outcomes(struct buf *to, const char *build, const char *program);

/* The families of metrics, by their names, and what each counts. */
int tables_metrics(struct buf *to, const char *build, const char *argument);

#endif
