#include "os/fds.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Without a list each number is asked for, which takes some 50 ns, until so many in a row are not
 * open: the lowest free one is always the next. */
#define GAP_MAX 4096

int fds_add(struct fds *fds, int fd)
{
    if (fd < 0) {
        errno = EBADF;
        return -1;
    }
    size_t need = (size_t)fd / 64 + 1;
    if (need > fds->words) {
        uint64_t *bits = reallocarray(fds->bits, need, sizeof *bits);
        if (!bits)
            return -1;
        memset(bits + fds->words, 0, (need - fds->words) * sizeof *bits);
        fds->bits = bits;
        fds->words = need;
    }
    fds->bits[fd / 64] |= UINT64_C(1) << (fd % 64);
    if (fd >= fds->top)
        fds->top = fd + 1;
    return 0;
}

void fds_remove(struct fds *fds, int fd)
{
    if (fds_has(fds, fd))
        fds->bits[fd / 64] &= ~(UINT64_C(1) << (fd % 64));
}

void fds_free(struct fds *fds)
{
    free(fds->bits);
    *fds = (struct fds){0};
}

static int look(struct fds *fds)
{
    for (int fd = 0; fd < fds->top + GAP_MAX; fd++)
        if (fcntl(fd, F_GETFD) >= 0 && fds_add(fds, fd) < 0)
            return -1;
    return 0;
}

/* "." and ".." are no numbers; that of the list itself is closed with it. */
static int read_list(struct fds *fds, DIR *list)
{
    const struct dirent *entry;
    while ((entry = readdir(list))) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);
        if (end != entry->d_name && fd != dirfd(list) && fds_add(fds, (int)fd) < 0)
            return -1;
    }
    return 0;
}

int fds_open_now(struct fds *fds)
{
    *fds = (struct fds){0};
    DIR *list = opendir("/proc/self/fd");
    int result = list ? read_list(fds, list) : look(fds);
    if (list)
        closedir(list);
    if (result < 0)
        fds_free(fds);
    return result;
}
