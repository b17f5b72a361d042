/*
 * nonblock - busy polling: asks every socket in turn whether there is something, and begins anew.
 * It never sleeps, so it uses up a CPU; and every round costs a system call for each connection.
 */
#include <errno.h>

#include "lab/models/model.h"
#include "lab/models/peers.h"

static int accept_all(struct peers *peers)
{
    while (peers_accept(peers) >= 0) {
        /* its turn comes */
    }
    return errno == EAGAIN ? 0 : -1;
}

static void run(struct server *server)
{
    struct peers peers;
    struct scratch scratch = {0};
    if (peers_open(&peers, server, PEERS_NONBLOCKING) < 0)
        return;
    server_ready(server);
    while (accept_all(&peers) == 0)
        for (int fd = 0; fd < peers.top; fd++)
            if (peers_has(&peers, fd))
                peers_serve(&peers, &scratch, fd);
}

const struct model model_nonblock = {
    .name = "nonblock",
    .teaches = "asks every socket in turn and never sleeps: a system call a connection a round, a "
               "CPU in any case",
    .ends = "at the descriptors of a process; at a CPU long before",
    .is_steady = true,
    .is_busy = true,
    .run = run,
};
