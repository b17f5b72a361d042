/*
 * fds - a set of descriptor numbers.
 */
#ifndef DROVER_OS_FDS_H
#define DROVER_OS_FDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: empty. */
struct fds {
    int top; /* one past the highest number that there ever was */

    /* private */
    uint64_t *bits; /* owned */
    size_t words;
};

/* Those that this process has open. Where /proc is not there, or no descriptor is left to read it
 * with, those above a gap of 4096 numbers are not seen. -1 with errno set. */
int fds_open_now(struct fds *fds);
void fds_free(struct fds *fds);

static inline bool fds_has(const struct fds *fds, int fd)
{
    return fd >= 0 && fd < fds->top && (fds->bits[fd / 64] >> (fd % 64) & 1);
}

/* -1 with errno set: ENOMEM, or EBADF for a number below 0. */
int fds_add(struct fds *fds, int fd);
void fds_remove(struct fds *fds, int fd);

#endif
