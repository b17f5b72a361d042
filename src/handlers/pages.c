#include "handlers/pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* The whole file, or as much as there is of it by now. */
static int read_all(struct site_page *page, const struct file *file)
{
    size_t size = (size_t)file->st.st_size, length = 0;
    char *bytes = malloc(size + 1); /* an empty page is one, too */
    while (bytes && length < size) {
        ssize_t n = read(file->fd, bytes + length, size - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int saved = errno;
            free(bytes);
            errno = saved;
            return -1;
        }
        if (n == 0)
            break;
        length += (size_t)n;
    }
    if (!bytes)
        return -1;
    free(page->bytes);
    page->bytes = bytes;
    page->length = length;
    return 0;
}

static int status_of_errno(int cause)
{
    switch (cause) {
    case EACCES:
    case EPERM: return EX_NOPERM;
    case ENOMEM:
    case EMFILE:
    case ENFILE: return EX_OSERR;
    default: return EX_NOINPUT;
    }
}

static int wrong(const struct site_page *page, int status, const char *what, char *why)
{
    snprintf(why, DROVER_WHY_SIZE, "--error-page %d=%.150s: %s", page->status, page->path, what);
    return status;
}

static int load(struct site_page *page, const struct root *root, size_t max, char *why)
{
    struct file file;
    char what[64];
    int result = EX_NOINPUT;
    if (file_open(&file, root, page->path + 1) < 0)
        return wrong(page, status_of_errno(errno), strerror(errno), why);
    snprintf(what, sizeof what, "has more than %zu bytes", max);
    if (!file_is_regular(&file))
        wrong(page, 0, "is not a file", why);
    else if ((uint64_t)file.st.st_size > max)
        wrong(page, 0, what, why);
    else if (read_all(page, &file) < 0)
        result = wrong(page, status_of_errno(errno), strerror(errno), why);
    else
        result = 0;
    file_close(&file);
    return result;
}

int pages_load(struct site_page *pages, size_t count, const struct root *root, size_t max,
               char why[DROVER_WHY_SIZE])
{
    int first = 0;
    for (size_t i = 0; i < count; i++) {
        char what[DROVER_WHY_SIZE];
        int status = load(&pages[i], root, max, what);
        if (status && !first) {
            first = status;
            memcpy(why, what, sizeof what);
        }
    }
    return first;
}

void pages_free(struct site_page *pages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(pages[i].bytes);
        pages[i].bytes = NULL;
    }
}

const struct site_page *pages_find(const struct site_page *pages, size_t count, int status)
{
    for (size_t i = 0; i < count; i++)
        if (pages[i].status == status && pages[i].bytes)
            return &pages[i];
    return NULL;
}
