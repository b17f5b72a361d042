/*
 * blocking - one client after the other: accept(2), serve it to its end, accept the next one. While
 * it waits for one, all others wait for it in the accept queue: an idle connection stops it.
 */
#include <errno.h>

#include "lab/models/model.h"
#include "lab/models/server.h"

static void limit(struct bound *bound, const struct resources *resources)
{
    (void)resources;
    bound_lower(bound, 1, "blocking calls wait for 1 connection at a time");
}

static void run(struct server *server)
{
    server_ready(server);
    for (;;) {
        int fd = server_accept(server, 0);
        if (fd < 0)
            return;
        server_serve(server, fd);
    }
}

const struct model model_blocking = {
    .name = "blocking",
    .teaches =
        "one client at a time, to its end: the cheapest, as long as nobody else wants anything",
    .ends = "at 1 connection: an idle one stops the server",
    .is_steady = true,
    .limit = limit,
    .run = run,
};
