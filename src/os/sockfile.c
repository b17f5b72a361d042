#include "os/sockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* It is stale if nobody answers there. */
static bool remove_stale(const struct sockaddr_un *address, socklen_t length, int type)
{
    struct sockfile file;
    const struct sockaddr *any = (const struct sockaddr *)address;
    if (address->sun_path[0] == '\0' || sockfile_at(address->sun_path, &file) < 0)
        return false;
    int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool is_refused = connect(fd, any, length) < 0 && errno == ECONNREFUSED;
    close(fd);
    return is_refused && unlink(address->sun_path) == 0;
}

static int type_of(int fd)
{
    int type = -1;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ? -1 : type;
}

int sockfile_bind(int fd, const struct sockaddr_un *address, socklen_t length)
{
    const struct sockaddr *any = (const struct sockaddr *)address;
    if (bind(fd, any, length) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return -1;
    if (!remove_stale(address, length, type_of(fd))) {
        errno = EADDRINUSE;
        return -1;
    }
    return bind(fd, any, length);
}

int sockfile_at(const char *path, struct sockfile *file)
{
    struct stat st;
    *file = (struct sockfile){.inode = 0};
    if (lstat(path, &st) < 0)
        return -1;
    if (!S_ISSOCK(st.st_mode)) {
        errno = ENOTSOCK;
        return -1;
    }
    *file = (struct sockfile){.device = st.st_dev, .inode = st.st_ino};
    return 0;
}

bool sockfile_is_at(const char *path, const struct sockfile *file)
{
    struct sockfile there;
    return sockfile_at(path, &there) == 0 && there.inode == file->inode &&
           there.device == file->device;
}

void sockfile_remove(const char *path, const struct sockfile *file)
{
    int saved = errno;
    if (sockfile_is_at(path, file))
        unlink(path);
    errno = saved;
}

/* musl has no renameat2(2). */
static int rename_unless_there(const char *from, const char *to)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int sockfile_move(const char *from, const char *to, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (rename_unless_there(from, to) == 0)
        return 0;
    if (errno != EEXIST)
        return -1;
    if (strlen(to) < sizeof address.sun_path) {
        memcpy(address.sun_path, to, strlen(to) + 1);
        if (remove_stale(&address, sizeof address, type))
            return rename_unless_there(from, to);
    }
    errno = EADDRINUSE;
    return -1;
}
