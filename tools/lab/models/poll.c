/*
 * poll - poll(2): an entry of eight bytes for each descriptor, all of them passed in and looked at
 * in every call. No limit of its own: RLIMIT_NOFILE is one for its entries, too.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "lab/models/model.h"
#include "lab/models/peers.h"

struct table {
    struct pollfd *entries; /* the first one is the listener's; no holes */
    nfds_t count;
};

static void accept_all(struct peers *peers, struct table *table)
{
    int fd;
    while ((fd = peers_accept(peers)) >= 0)
        table->entries[table->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

/* From the last to the first: the last one takes the place of one that has ended. */
static void serve_ready(struct peers *peers, struct scratch *scratch, struct table *table, int n)
{
    for (nfds_t i = table->count; i-- > 1 && n > 0;) {
        if (table->entries[i].revents == 0)
            continue;
        n--;
        if (!peers_serve(peers, scratch, table->entries[i].fd))
            table->entries[i] = table->entries[--table->count];
    }
    if (table->entries[0].revents != 0)
        accept_all(peers, table);
}

static void run(struct server *server)
{
    struct peers peers;
    struct scratch scratch = {0};
    if (peers_open(&peers, server, PEERS_NONBLOCKING) < 0)
        return;
    struct table table = {.entries = calloc((size_t)peers.room, sizeof *table.entries)};
    if (!table.entries)
        return;
    table.entries[table.count++] = (struct pollfd){.fd = server->door, .events = POLLIN};
    server_ready(server);
    for (;;) {
        int n = poll(table.entries, table.count, -1);
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0)
            serve_ready(&peers, &scratch, &table, n);
    }
    free(table.entries);
}

const struct model model_poll = {
    .name = "poll",
    .teaches = "an entry a descriptor, the whole table passed and looked at in every call: linear, "
               "without select's limit",
    .ends = "at the descriptors of a process",
    .is_steady = true,
    .run = run,
};
