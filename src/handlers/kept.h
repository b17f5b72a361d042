/*
 * kept - small files that are asked for often, as answers in memory.
 *
 * What is sent is what is on disk: a file that is kept is looked at, with one stat(2), in every
 * turn of the worker's loop that has a request for it, and once anything of it has changed, its
 * time of change (ctime) among them, it is opened anew, as beneath.h has it. One that changed less
 * than KEPT_SETTLED_S ago is not kept, since a second change might get the same time; and what is
 * kept is read anew after KEPT_MS, since a change by mmap(2) may show late in the times.
 *
 * A file is kept when it is asked for a second time within KEPT_MS. Where there is no room for
 * another, one goes that has not been asked for since all others were looked through.
 */
#ifndef DROVER_HANDLERS_KEPT_H
#define DROVER_HANDLERS_KEPT_H

#include <stdbool.h>

#include "handlers/file.h"

/* Bytes of a file at most, and of all that a worker keeps, heads included, which the sites share,
 * but not less than KEPT_SITE_MIN for one; and the number of a site's files. Longer
 * ones cost less by sendfile(2), which does not copy them: 12 us of 64 KiB where a send from memory
 * takes 14, 26 of 200 KiB where it takes 38. */
#define KEPT_FILE_MAX  (48 * 1024)
#define KEPT_BYTES_MAX (16 * 1024 * 1024)
#define KEPT_SITE_MIN  (1024 * 1024)
#define KEPT_FILES_MAX 1024

/* Milliseconds until a file is read anew, and its siblings are looked for: with SIBLINGS_MS, for
 * which those are remembered, a new one is noticed within a second. */
#define KEPT_MS 500

/* Seconds for which it must not have changed. */
#define KEPT_SETTLED_S 2

struct kept;

/* A file, or a sibling of it, which is known by the name of the file. */
struct kept_form {
    unsigned coding;                  /* DROVER_IDENTITY: the file itself; else its sibling's */
    unsigned codings;                 /* those of its siblings, for the file itself */
    struct drover_prepared *prepared; /* held by the table; NULL: no more than this is known */
};

/* For one worker, and so many bytes, at least KEPT_SITE_MIN. NULL when memory ran out. */
struct kept *kept_new(size_t bytes_max);
void kept_free(struct kept *kept);

/*
 * What is kept of this name, as it was asked for, relative to the root, in this coding; NULL when
 * there is nothing, or what there was is no longer so. Borrowed until the next call.
 */
const struct kept_form *kept_find(struct kept *kept, const struct root *root, const char *name,
                                  size_t length, unsigned coding,
                                  const struct drover_worker *worker);

/*
 * The response is the answer with this form, about to be sent: keeps it, if it is worth it. It was
 * asked for by the name that its path starts with, so many bytes, and is what `st` says. With
 * `prepare` false, nothing but that is kept.
 */
void kept_offer(struct kept *kept, const char *path, size_t name_length,
                const struct kept_form *form, const struct stat *st,
                struct drover_response *response, bool prepare);

#endif
