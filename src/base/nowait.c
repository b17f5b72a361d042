#include "base/nowait.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOWAIT_FLAG 8 /* RWF_NOWAIT of <linux/fs.h>, which not every libc has */

static ssize_t send_parts(int fd, const struct iovec *parts, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts,
                             .msg_iovlen = (size_t)count};
    return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static bool never_waits(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && flags & O_NONBLOCK;
}

static ssize_t ask_and_write(int fd, const struct iovec *parts, int count)
{
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    if (poll(&one, 1, 0) > 0)
        return writev(fd, parts, count);
    errno = EAGAIN;
    return -1;
}

/* A pipe says that it can be written to when it has room for PIPE_BUF bytes. */
static ssize_t ask_and_write_little(int fd, const struct iovec *parts, int count)
{
    struct iovec some[NOWAIT_PARTS_MAX];
    size_t room = PIPE_BUF;
    for (int i = 0; i < count; i++) {
        some[i] = parts[i];
        if (some[i].iov_len > room)
            some[i].iov_len = room;
        room -= some[i].iov_len;
    }
    return ask_and_write(fd, some, count);
}

/* The kernel can be told with each write since Linux 6.4, but not where the pipe is a file. */
static ssize_t write_to_pipe(int fd, const struct iovec *parts, int count)
{
    ssize_t written = syscall(SYS_pwritev2, fd, parts, (long)count, -1L, -1L, (long)NOWAIT_FLAG);
    if (written >= 0 || errno == EAGAIN || errno == EPIPE)
        return written;
    int own = nowait_open(fd);
    if (own < 0)
        return ask_and_write_little(fd, parts, count);
    written = writev(own, parts, count);
    int saved = errno;
    close(own);
    errno = saved;
    return written;
}

int nowait_open(int fd)
{
    char path[32];
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -1;
    if (!S_ISFIFO(st.st_mode)) { /* to open a device may mean anything */
        errno = ENOTSUP;
        return -1;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

ssize_t nowait_writev(int fd, const struct iovec *parts, int count)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -1;
    if (S_ISSOCK(st.st_mode))
        return send_parts(fd, parts, count);
    if (S_ISREG(st.st_mode) || never_waits(fd))
        return writev(fd, parts, count);
    return S_ISFIFO(st.st_mode) ? write_to_pipe(fd, parts, count) : ask_and_write(fd, parts, count);
}
