#include "handlers/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "handlers/beneath.h"

/* O_NONBLOCK: a FIFO must not hold the worker until somebody writes. */
#define OPEN_FILE (O_RDONLY | O_NONBLOCK | O_NOCTTY)

int file_open(struct file *file, const struct root *root, const char *name)
{
    file->fd = beneath_open(root->fd, name, OPEN_FILE, root->has_openat2);
    if (file->fd < 0)
        return -1;
    if (fstat(file->fd, &file->st) == 0)
        return 0;
    file_close(file);
    return -1;
}

void file_close(struct file *file)
{
    int saved = errno;
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    errno = saved;
}

bool file_is_regular(const struct file *file)
{
    return S_ISREG(file->st.st_mode);
}

static char *hex(char *to, unsigned long long value)
{
    char digits[16];
    int n = 0;
    do
        digits[n++] = "0123456789abcdef"[value & 15];
    while (value >>= 4);
    while (n > 0)
        *to++ = digits[--n];
    return to;
}

/* Strong (RFC 9110, 8.8.1): another file, another length or another time of change is another tag.
 */
static void set_validators(struct drover_response *response, const struct stat *st)
{
    char tag[64];
    char *p = tag;
    *p++ = '"';
    p = hex(p, (unsigned long long)st->st_ino);
    *p++ = '-';
    p = hex(p, (unsigned long long)st->st_size);
    *p++ = '-';
    p = hex(p, (unsigned long long)st->st_mtim.tv_sec * 1000000000ULL +
                   (unsigned long long)st->st_mtim.tv_nsec);
    *p++ = '"';
    *p = '\0';
    drover_response_etag(response, tag);
    drover_response_modified(response, st->st_mtim.tv_sec);
}

void file_send(struct file *file, struct drover_response *response)
{
    set_validators(response, &file->st);
    drover_response_file(response, file->fd, (uint64_t)file->st.st_size);
    file->fd = -1;
}
