/*
 * prepare - an application before its workers are forked: its keys, and its own before_fork.
 */
#ifndef DROVER_MASTER_PREPARE_H
#define DROVER_MASTER_PREPARE_H

#include "master/state.h"

/* Sets its keys and calls its before_fork, unless it was called for this application with the same
 * keys already. Returns 0, or the status to exit with, the cause in
 * `why`. */
int prepare_app(struct master *m, struct generation *g, char *why, size_t size);

/* A reload was given up: the application is prepared for the present generation again, if it was
 * for another. */
void prepare_back(struct master *m);

/* Before a worker is forked: the keys are this generation's. -1: they cannot be set. */
int prepare_keys(struct master *m, const struct generation *g);

/* Cuts what a worker may take on to what a process may have open, and says so. */
void prepare_descriptors(struct settings *settings);

#endif
