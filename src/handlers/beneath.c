#include "handlers/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A rename(2) that crosses the walk makes the kernel give up with EAGAIN, openat2(2). */
#define TRIES 8

static int open_once(int root, const char *name, int flags)
{
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC),
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root, name, &how, sizeof how);
}

bool beneath_has_openat2(void)
{
    int fd = open_once(AT_FDCWD, ".", O_PATH | O_DIRECTORY);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* One segment, which is neither empty, "." nor "..", and no link. */
static int open_segment(int dir, const char *segment, int flags)
{
    if (strcmp(segment, "..") == 0) {
        errno = EXDEV;
        return -1;
    }
    int fd = openat(dir, segment, flags | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    /* A link where a directory was asked for is no directory, says open(2), rather than a link. */
    if (fd < 0 && errno == ENOTDIR) {
        bool is_link = fstatat(dir, segment, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
        errno = is_link ? ELOOP : ENOTDIR;
    }
    return fd;
}

static int walk(int root, const char *name, int flags)
{
    char copy[4096];
    size_t n = strlen(name);
    if (n >= sizeof copy) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (name[0] == '/') {
        errno = EXDEV;
        return -1;
    }
    memcpy(copy, name, n + 1);
    bool ends_with_slash = n > 0 && copy[n - 1] == '/';
    int dir = root;
    char *rest = NULL;
    char *segment = strtok_r(copy, "/", &rest);
    while (segment) {
        char *next = strtok_r(NULL, "/", &rest);
        int how = next ? O_PATH | O_DIRECTORY : flags | (ends_with_slash ? O_DIRECTORY : 0);
        int fd = open_segment(dir, segment, how);
        int saved = errno;
        if (dir != root)
            close(dir);
        errno = saved;
        if (fd < 0 || !next)
            return fd;
        dir = fd;
        segment = next;
    }
    errno = ENOENT;
    return -1;
}

int beneath_open(int root, const char *name, int flags, bool has_openat2)
{
    if (!has_openat2)
        return walk(root, name, flags);
    int fd = -1;
    for (int i = 0; i < TRIES; i++) {
        fd = open_once(root, name, flags);
        if (fd >= 0 || errno != EAGAIN)
            break;
    }
    return fd;
}
