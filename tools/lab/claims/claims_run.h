/*
 * claims_run - tries what is told, and tells what was found: in the terminal, and a line a claim in
 * the result file.
 */
#ifndef DROVER_LAB_CLAIMS_CLAIMS_RUN_H
#define DROVER_LAB_CLAIMS_CLAIMS_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "lab/cli/output.h"

/* How many claims have this in their words, case aside; NULL: all. */
size_t claims_count(const char *pattern);

/*
 * Tries those, one after the other; nothing is printed if the output is quiet. Returns 0, or -1
 * with errno set when there is no process or memory to be had.
 */
int claims_run(struct output *output, const char *pattern, bool is_quick);

#endif
