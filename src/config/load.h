/*
 * load - the bytes of a configuration file.
 */
#ifndef DROVER_CONFIG_LOAD_H
#define DROVER_CONFIG_LOAD_H

#include <stddef.h>

/*
 * Reads the whole file, with a NUL behind its *n bytes, into memory that is the caller's to free.
 * NULL: it cannot be read; then *status is EX_NOINPUT, EX_NOPERM, EX_CONFIG when it is too large,
 * or EX_OSERR, and `what` says why. Only a regular file will do: it is read again at each reload.
 */
char *load_file(const char *path, size_t *n, int *status, char *what, size_t size);

#endif
