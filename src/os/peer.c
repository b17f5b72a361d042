#include "os/peer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static int address_of(const char *path, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address->sun_path, path, strlen(path) + 1);
    return 0;
}

static int close_failed(int fd)
{
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int peer_listen(const char *path, int backlog, struct sockfile *file)
{
    struct sockaddr_un address;
    *file = (struct sockfile){.inode = 0};
    if (address_of(path, &address) < 0)
        return -1;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /* bind(2) gives the file the mode of the socket, so nobody is faster than a chmod(2). */
    if (fchmod(fd, 0600) < 0 || sockfile_bind(fd, &address, sizeof address) < 0)
        return close_failed(fd);
    if (sockfile_at(path, file) < 0 || listen(fd, backlog) < 0) {
        sockfile_remove(path, file);
        return close_failed(fd);
    }
    return fd;
}

int peer_accept(int listener)
{
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int peer_connect(const char *path, int timeout_ms)
{
    struct sockaddr_un address;
    struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    if (address_of(path, &address) < 0)
        return -1;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return close_failed(fd);
    return fd;
}

int peer_get(int fd, struct peer *peer)
{
    struct ucred who;
    socklen_t size = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
        return -1;
    *peer = (struct peer){.pid = who.pid, .uid = who.uid};
    return 0;
}
