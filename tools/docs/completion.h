/*
 * completion - the commands, options and values of the programs, as a shell completes them.
 *
 * Each adds the table that its shell's template has code for, of the programs in the directory
 * BUILD. Returns 0, or -1 after it has told why not. The argument is not used.
 */
#ifndef DROVER_DOCS_COMPLETION_H
#define DROVER_DOCS_COMPLETION_H

#include "base/buf.h"

int completion_bash(struct buf *to, const char *build, const char *argument);
int completion_zsh(struct buf *to, const char *build, const char *argument);
int completion_fish(struct buf *to, const char *build, const char *argument);

#endif
