/*
 * row - a measurement as a row of a table on standard output.
 */
#ifndef DROVER_LAB_CLI_ROW_H
#define DROVER_LAB_CLI_ROW_H

#include <stddef.h>

#include "lab/trial/measurement.h"

/* `heading` is what stands above the last row; a row of another kind or workload writes its own
 * first, and keeps it there. An empty one: nothing was printed yet. */
void row_print(const struct measurement *m, char *heading, size_t size);

#endif
