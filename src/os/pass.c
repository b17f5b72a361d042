#include "os/pass.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * PASS_FDS_MAX)];
};

/* The kernel reckons some 800 bytes for a small message, and gives twice what is asked for, or
 * twice net.core.wmem_max. */
#define QUEUE_BYTES (512 << 10)

int pass_pair(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    for (int i = 0; i < 2; i++) /* one that fails has the usual size */
        setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &(int){QUEUE_BYTES}, sizeof(int));
    return 0;
}

void pass_attach(struct msghdr *message, void *control, const int *fds, size_t count)
{
    size_t length = sizeof(int) * count;
    memset(control, 0, CMSG_SPACE(length));
    message->msg_control = control;
    message->msg_controllen = (socklen_t)CMSG_SPACE(length); /* its type in musl */
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = (socklen_t)CMSG_LEN(length);
    memcpy(CMSG_DATA(header), fds, length);
}

int pass_send(int end, const void *bytes, size_t length, const int *fds, size_t fd_count)
{
    union control control;
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > PASS_FDS_MAX) {
        errno = EINVAL;
        return -1;
    }
    if (fd_count > 0)
        pass_attach(&message, &control, fds, fd_count);
    ssize_t sent;
    do
        sent = sendmsg(end, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

/* musl's CMSG_NXTHDR mixes signs. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"

/* Takes the descriptors that came, as many as fit, and closes the rest. Returns how many it took.
 */
static size_t detach(struct msghdr *message, int *fds, size_t room)
{
    size_t count = 0;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = CMSG_NXTHDR(message, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
            if (count++ < room)
                fds[count - 1] = fd;
            else
                close(fd);
        }
    }
    return count;
}

#pragma GCC diagnostic pop

ssize_t pass_receive(int end, void *bytes, size_t size, int *fds, size_t *fd_count)
{
    union control control;
    struct iovec part = {.iov_base = bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    size_t room = fds && fd_count ? *fd_count : 0;
    ssize_t n;
    do
        n = recvmsg(end, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -1;
    size_t came = detach(&message, fds, room);
    size_t taken = came < room ? came : room;
    bool is_cut = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || (fds && came > room);
    for (size_t i = 0; is_cut && i < taken; i++)
        close(fds[i]);
    if (fd_count)
        *fd_count = is_cut ? 0 : taken;
    if (!is_cut)
        return n;
    errno = EMSGSIZE;
    return -1;
}

bool pass_has_room(int end)
{
    int probe = fcntl(end, F_DUPFD_CLOEXEC, 0);
    if (probe < 0)
        return false;
    close(probe);
    return true;
}
