#include "os/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int close_failed(int fd)
{
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* The lock has no pid, since it is an open file's and not a process's: the text has it. 0 while the
 * holder has not written it. */
static pid_t read_pid(int fd)
{
    char text[24];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    long pid = strtol(text, NULL, 10);
    return pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

static int lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
        return 0;
    if (errno == EACCES || errno == EAGAIN)
        errno = EWOULDBLOCK;
    return -1;
}

/* The holder removes the file when it leaves: what was locked may be no longer what is there. */
static int is_still_there(int fd, const char *path)
{
    struct stat locked, there;
    return fstat(fd, &locked) == 0 && stat(path, &there) == 0 && locked.st_ino == there.st_ino &&
           locked.st_dev == there.st_dev;
}

static int write_pid(int fd)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) < 0)
        return -1;
    return pwrite(fd, text, (size_t)n, 0) == n ? 0 : -1;
}

int pidfile_open(const char *path, pid_t *holder)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
            return -1;
        if (lock(fd) < 0) {
            int cause = errno;
            *holder = read_pid(fd);
            errno = cause;
            return close_failed(fd);
        }
        if (!is_still_there(fd, path)) {
            close(fd);
            continue;
        }
        return write_pid(fd) < 0 ? close_failed(fd) : fd;
    }
}

/* Its own lock is in nobody's way: taking it again is a success. */
int pidfile_adopt(int fd, const char *path)
{
    if (lock(fd) < 0)
        return -1;
    if (!is_still_there(fd, path)) {
        errno = ESTALE;
        return -1;
    }
    return write_pid(fd);
}

/* The next master's, or one's that was not to be the next, stays. */
void pidfile_close(int fd, const char *path)
{
    if (is_still_there(fd, path) && read_pid(fd) == getpid())
        unlink(path);
    close(fd);
}
