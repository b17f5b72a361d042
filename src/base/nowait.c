#include "base/nowait.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

static ssize_t send_parts(int fd, const struct iovec *parts, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts,
                             .msg_iovlen = (size_t)count};
    return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A pipe says that it can be written to when it has room for PIPE_BUF bytes. */
static ssize_t ask_and_write(int fd, const struct iovec *parts, int count)
{
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    if (poll(&one, 1, 0) > 0)
        return writev(fd, parts, count);
    errno = EAGAIN;
    return -1;
}

ssize_t nowait_writev(int fd, const struct iovec *parts, int count)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -1;
    if (S_ISSOCK(st.st_mode))
        return send_parts(fd, parts, count);
    return S_ISREG(st.st_mode) ? writev(fd, parts, count) : ask_and_write(fd, parts, count);
}
