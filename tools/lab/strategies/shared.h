/*
 * shared - memory that the supervisor and all workers of a strategy see: what arena->shared is to
 * most of those that have any.
 */
#ifndef DROVER_LAB_STRATEGIES_SHARED_H
#define DROVER_LAB_STRATEGIES_SHARED_H

#include <stddef.h>

/* Zeroed, and not moved by a fork. NULL with errno set. */
void *shared_open(size_t size);

/* NULL is allowed. */
void shared_close(void *memory, size_t size);

#endif
