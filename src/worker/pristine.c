#include "worker/pristine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/net.h"

static ino_t socket_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) ? st.st_ino : 0;
}

int pristine_note(struct pristine *pristine)
{
    if (fds_open_now(&pristine->open) < 0)
        return -1;
    pristine->room = pristine->open.top;
    pristine->sockets = calloc((size_t)pristine->room + 1, sizeof *pristine->sockets);
    if (!pristine->sockets)
        return -1;
    for (int fd = 0; fd < pristine->room; fd++)
        if (fds_has(&pristine->open, fd))
            pristine->sockets[fd] = socket_of(fd);
    return 0;
}

void pristine_free(struct pristine *pristine)
{
    fds_free(&pristine->open);
    free(pristine->sockets);
    *pristine = (struct pristine){0};
}

int pristine_copy(const struct pristine *pristine, int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, pristine->room);
}

bool pristine_is_intact(const struct pristine *pristine, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return false;
    ino_t then = fd < pristine->room ? pristine->sockets[fd] : 0;
    return !S_ISSOCK(st.st_mode) || st.st_ino == then || !net_is_connection(fd);
}

void pristine_block(int fd)
{
    int nothing = open("/", O_PATH | O_CLOEXEC); /* which no privilege is asked for */
    if (nothing == fd)
        return;
    if (nothing < 0 || dup3(nothing, fd, O_CLOEXEC) < 0)
        close(fd);
    if (nothing >= 0)
        close(nothing);
}

int pristine_evade(const struct pristine *pristine, int fd)
{
    int other = pristine_copy(pristine, fd);
    int cause = errno;
    pristine_block(fd);
    errno = cause;
    return other;
}
