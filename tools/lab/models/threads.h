/*
 * threads - threads of a server: detached, with small stacks.
 */
#ifndef DROVER_LAB_MODELS_THREADS_H
#define DROVER_LAB_MODELS_THREADS_H

#include <pthread.h>

/* Bytes of a stack. The deepest frames are those of the parser (a table of HTTP_FIELDS_MAX fields)
 * and what is read into; AddressSanitizer puts room between all of them. */
#ifdef __SANITIZE_ADDRESS__
#define THREAD_STACK (256 * 1024)
#else
#define THREAD_STACK (64 * 1024)
#endif

/* The threads of a pool: enough for a machine's CPUs, since none of them waits for a client. */
#define POOL_THREADS 8

typedef void *thread_fn(void *context);

/* Starts so many. Returns 0, or -1 with errno set; those that were started go on then. */
int threads_start(unsigned count, thread_fn *fn, void *context);

#endif
