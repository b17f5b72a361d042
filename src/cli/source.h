/*
 * source - the configuration of `drover serve`, or of a program that has called drover_main(), read
 * from the arguments of its start and from the file that these name.
 *
 * The static site of each configuration is one of its own.
 */
#ifndef DROVER_CLI_SOURCE_H
#define DROVER_CLI_SOURCE_H

#include <drover.h>
#include <stdbool.h>

#include "config/configuration.h"
#include "config/given.h"

/* All is borrowed, for as long as configurations are read from it. */
struct source {
    const char *program; /* for messages */
    int argc;            /* arguments alone */
    char *const *argv;
    const struct drover_app *app; /* one that was checked; NULL: --app names it */
    bool has_been_read;           /* every further time is a reload */
    unsigned faults_max;          /* that are told; 0: FAULTS_SHOWN */
};

/* read() and free() of struct configuration_source; the context is a struct source. */
struct configuration *source_read(void *context, int *status, char *why, size_t why_size);
void source_free(struct configuration *configuration);

/* What was given, and where, for a configuration that source_read() returned. */
const struct givens *source_givens(const struct configuration *configuration);

#endif
