/*
 * pages - the site's own pages for errors, held in memory: an answer with one must not fail for the
 * reason that it tells of. They are read once before the first worker is forked, and then by every
 * worker, so that HUP, which replaces the workers, renews them.
 */
#ifndef DROVER_HANDLERS_PAGES_H
#define DROVER_HANDLERS_PAGES_H

#include <stddef.h>

#include "handlers/file.h"

struct site_page {
    int status;
    const char *path; /* below ROOT, with its leading '/'; borrowed */

    char *bytes; /* private: owned */
    size_t length;
};

/*
 * Reads them all, anew if they were read before. One that cannot be read, or has more than `max`
 * bytes, stays as it was. Returns 0, or for the first of these the status to exit with (EX_NOINPUT,
 * EX_NOPERM, EX_OSERR) and its cause in `why`.
 */
int pages_load(struct site_page *pages, size_t count, const struct root *root, size_t max,
               char why[DROVER_WHY_SIZE]);

void pages_free(struct site_page *pages, size_t count);

/* The page of this status; NULL when there is none, or when it was never read. */
const struct site_page *pages_find(const struct site_page *pages, size_t count, int status);

#endif
