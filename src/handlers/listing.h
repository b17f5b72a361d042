/*
 * listing - a directory as a page: folders first, then files, by name, with sizes and times.
 */
#ifndef DROVER_HANDLERS_LISTING_H
#define DROVER_HANDLERS_LISTING_H

#include <drover.h>
#include <stdbool.h>

struct listing_rules {
    bool dot_files;   /* list names with a leading dot? */
    bool has_openat2; /* for links, which are listed only if they would be served: */
    int root_fd;      /* from here, borrowed, */
    const char *path; /* and by this name, "" or with its slash, borrowed */
};

/* Takes over the directory's descriptor, on failure too. -1 with errno set, nothing sent. */
int listing_send(int fd, const struct listing_rules *rules, const struct drover_request *request,
                 struct drover_response *response);

#endif
