/*
 * static - serves the files below one directory. An application like any other: it sees drover.h.
 *
 * Which coding of a file is sent, siblings.h tells. A client that refuses all there are, the file
 * as it is among them ("identity;q=0"), gets the file as it is rather than 406, as RFC 9110, 12.5.3
 * leaves open: it is of more use, and what was refused in words is mostly still understood.
 */
#ifndef DROVER_HANDLERS_STATIC_H
#define DROVER_HANDLERS_STATIC_H

#include <drover.h>
#include <stdbool.h>

#include "handlers/file.h"
#include "handlers/pages.h"

struct kept;
struct siblings;

/* Added to every answer that is the site's, errors and redirects among them. */
struct site_field {
    const char *name;
    const char *value;
};

/* Cache-Control of files whose name, the last segment of their path, matches (fnmatch(3)). */
struct site_cache {
    const char *glob;
    const char *value;
};

/* All strings and arrays are borrowed, for as long as the application is used. */
struct static_site {
    const char *root_path;           /* the directory */
    bool dot_files;                  /* are names with a leading dot served and listed? But
                                      * what is in /.well-known/ is served in any case */
    bool listing;                    /* is a directory without an index.html listed, or 403? */
    bool precompressed;              /* is NAME.br, NAME.zst or NAME.gz sent for NAME? */
    const struct site_cache *caches; /* of answers with a file, 304 too; the first that matches */
    size_t cache_count;
    const char *cache_control; /* where none does; NULL: the field is not sent */
    const struct site_field *fields;
    size_t field_count;
    struct site_page *pages; /* instead of drover's own; they may lie under hidden names */
    size_t page_count;
    size_t page_max; /* bytes of one, at most */
    /*
     * The file below ROOT, with its leading '/', that answers for pages which are not there: what a
     * single-page application wants, whose own code reads the path. NULL: these are 404, as are
     * always
     * - names that are there, but must not be seen (403), hidden ones, and those in /.well-known/;
     * - names with a dot in their last segment: a script or picture that is missing must not come
     *   as a page, which the browser would cache, or report as broken in place of missing;
     * - requests whose Accept rules HTML out: a program asks, and a page would mislead it.
     */
    const char *fallback;
    size_t sharers; /* static sites of the server: they share the memory for small files; 0: 1 */

    struct root root; /* private: opened by every worker, with its own rights */
    struct siblings *siblings;
    struct kept *kept;
};

/* The site as an application; it borrows *site. */
struct drover_app static_app(struct static_site *site);

/* Gives back what before_fork has read, when the server has ended. */
void static_free(struct static_site *site);

#endif
