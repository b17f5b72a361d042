/*
 * shared - memory that a process and all that it forks afterwards see (mmap(2), MAP_SHARED).
 */
#ifndef DROVER_LAB_KERNEL_SHARED_H
#define DROVER_LAB_KERNEL_SHARED_H

#include <stddef.h>

/* Zeroed, and not moved by a fork. NULL with errno set. */
void *shared_open(size_t size);

/* NULL is allowed. */
void shared_close(void *memory, size_t size);

#endif
