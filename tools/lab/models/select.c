/*
 * select - select(2): a bit for each descriptor, all of them passed in and looked at in every call.
 * The set of the C library ends at FD_SETSIZE, 1024; FD_SET() beyond it would write elsewhere.
 */
#include <errno.h>
#include <sys/select.h>

#include "lab/models/model.h"
#include "lab/models/peers.h"

struct set {
    fd_set fds;
    int top; /* one past the highest */
};

/* Descriptors that this server has beside connections and what was open before: the listener, and
 * the pipe to its supervisor. */
#define OWN_DESCRIPTORS 3

/* Connections have the numbers from there on: the lowest that are free (open(2)). */
static void limit(struct bound *bound, const struct resources *resources)
{
    uint64_t others = resources->nofile - resources->descriptors + OWN_DESCRIPTORS;
    uint64_t left = others < FD_SETSIZE ? FD_SETSIZE - others : 0;
    bound_lower(bound, left,
                "select(2) ends at %d descriptors (FD_SETSIZE), %d of them for clients", FD_SETSIZE,
                (int)left);
}

static void accept_all(struct peers *peers, struct set *set)
{
    int fd;
    while ((fd = peers_accept(peers)) >= 0) {
        if (fd >= FD_SETSIZE) {
            peers_refuse(peers, fd);
            continue;
        }
        FD_SET(fd, &set->fds);
        if (fd >= set->top)
            set->top = fd + 1;
    }
}

/* Where all n that are ready have been seen, the rest need not be looked at. */
static void serve_ready(struct peers *peers, struct scratch *scratch, struct set *set,
                        const fd_set *ready, int n)
{
    int door = peers->server->door;
    for (int fd = 0, top = set->top; fd < top && n > 0; fd++) {
        if (!FD_ISSET(fd, ready))
            continue;
        n--;
        if (fd == door)
            accept_all(peers, set);
        else if (!peers_serve(peers, scratch, fd))
            FD_CLR(fd, &set->fds);
    }
}

static void run(struct server *server)
{
    struct peers peers;
    struct scratch scratch = {0};
    struct set set = {.top = server->door + 1};
    if (server->door >= FD_SETSIZE || peers_open(&peers, server, PEERS_NONBLOCKING) < 0)
        return;
    FD_ZERO(&set.fds);
    FD_SET(server->door, &set.fds);
    server_ready(server);
    for (;;) {
        fd_set ready = set.fds;
        int n = select(set.top, &ready, NULL, NULL, NULL);
        if (n < 0 && errno != EINTR)
            return;
        if (n > 0)
            serve_ready(&peers, &scratch, &set, &ready, n);
    }
}

const struct model model_select = {
    .name = "select",
    .teaches = "a bit a descriptor, the whole set passed and looked at in every call: linear",
    .ends = "at 1024 descriptors (FD_SETSIZE)",
    .is_steady = true,
    .limit = limit,
    .run = run,
};
