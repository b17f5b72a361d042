/*
 * routes - which application a request is for: by its host, and by the start of its path.
 *
 * The most exact host decides first: its own name, then *.NAME with the longest NAME, then a route
 * for every host; of one host's routes the longest prefix. Where a host has no route for the path,
 * the next less exact one is asked.
 *
 * What a look-up costs grows with the bytes of the host and the path, never with the number of
 * routes of other hosts. It allocates nothing.
 */
#ifndef DROVER_WORKER_ROUTES_H
#define DROVER_WORKER_ROUTES_H

#include <stdbool.h>

#include "base/span.h"

struct route {
    struct span prefix; /* of the decoded path, without a slash at its end; "" for all */
    unsigned app;       /* a number of the caller's */
    /* The prefix itself stands for a directory: "/docs" is to be sent on to "/docs/". */
    bool is_directory;
};

struct routes;

/* None yet. NULL when memory ran out. */
struct routes *routes_new(void);
void routes_free(struct routes *routes); /* NULL is allowed */

/*
 * Adds one for a host: a name, or "*.NAME" for all below NAME, case ignored, as is a dot at its
 * end; NULL: every host. The host and the prefix are borrowed for as long as the routes are. -1
 * when memory ran out. Of two for the same requests the first holds.
 */
int routes_add(struct routes *routes, const char *host, const struct route *route);

/*
 * The one for a request to that authority, its port and a dot at its end ignored, and that path,
 * decoded, which starts with '/'. NULL: there is none. Borrowed.
 */
const struct route *routes_find(const struct routes *routes, struct span authority,
                                struct span path);

#endif
