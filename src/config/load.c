#include "config/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/limits.h"

static int fail(char *what, size_t size)
{
    int cause = errno;
    snprintf(what, size, "%s", strerror(cause));
    if (cause == EACCES || cause == EPERM)
        return EX_NOPERM;
    return cause == ENOMEM || cause == EMFILE || cause == ENFILE || cause == EIO ? EX_OSERR
                                                                                 : EX_NOINPUT;
}

static int refuse_size(char *what, size_t size)
{
    snprintf(what, size, "is larger than %d bytes", CONFIG_FILE_MAX);
    return EX_CONFIG;
}

static int check(int fd, char *what, size_t size)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return fail(what, size);
    if (S_ISREG(st.st_mode) && st.st_size <= CONFIG_FILE_MAX)
        return 0;
    if (S_ISREG(st.st_mode))
        return refuse_size(what, size);
    snprintf(what, size, "%s",
             S_ISDIR(st.st_mode) ? "is a directory"
                                 : "is not a regular file, which can be read again at a reload");
    return EX_NOINPUT;
}

/* It may grow or shrink meanwhile: what is there at the end counts. */
static int read_all(int fd, char *text, size_t *n, char *what, size_t size)
{
    ssize_t got;
    *n = 0;
    while ((got = read(fd, text + *n, CONFIG_FILE_MAX + 1 - *n)) != 0) {
        if (got < 0 && errno != EINTR)
            return fail(what, size);
        *n += got > 0 ? (size_t)got : 0;
        if (*n > CONFIG_FILE_MAX)
            return refuse_size(what, size);
    }
    text[*n] = '\0';
    return 0;
}

char *load_file(const char *path, size_t *n, int *status, char *what, size_t size)
{
    /* Without O_NONBLOCK a fifo would wait for its writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        *status = fail(what, size);
        return NULL;
    }
    *status = check(fd, what, size);
    char *text = *status ? NULL : malloc(CONFIG_FILE_MAX + 2);
    if (*status == 0)
        *status = text ? read_all(fd, text, n, what, size) : fail(what, size);
    close(fd);
    if (*status) {
        free(text);
        return NULL;
    }
    char *fitting = realloc(text, *n + 1);
    if (fitting)
        text = fitting;
    return text;
}
