/*
 * static - serves the files below one directory. An application like any other: it sees drover.h.
 */
#ifndef DROVER_HANDLERS_STATIC_H
#define DROVER_HANDLERS_STATIC_H

#include <drover.h>
#include <stdbool.h>

struct static_site {
    const char *root; /* the directory; borrowed, for as long as the application is used */
    bool dot_files;   /* are names with a leading dot served and listed? */
    bool listing;     /* is a directory without an index.html listed, or 403? */

    int root_fd; /* private: opened by every worker, with its own rights */
    bool has_openat2;
};

/* The site as an application; it borrows *site. */
struct drover_app static_app(struct static_site *site);

#endif
