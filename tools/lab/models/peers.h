/*
 * peers - the connections that one process holds, each found by its descriptor; their sockets do
 * not block. Whoever waits for them calls in when one is readable.
 *
 * Threads may share it as long as each connection has one of them at a time.
 */
#ifndef DROVER_LAB_MODELS_PEERS_H
#define DROVER_LAB_MODELS_PEERS_H

#include <stdbool.h>
#include <stddef.h>

#include "lab/models/server.h"

struct peer {
    struct session session;
    struct session_stamp stamp;
    bool is_open;
};

struct peers {
    const struct server *server; /* borrowed */
    struct peer *list;           /* owned; by descriptor */
    int room;                    /* descriptors of this process */
    int top;                     /* one past the highest there was */
};

/* The listener does not block from here on. Returns 0, or -1 with errno set. */
int peers_open(struct peers *peers, const struct server *server);
void peers_close(struct peers *peers);

/* The next connection that waits, non-blocking; -1 with errno set, EAGAIN if there is none. */
int peers_accept(struct peers *peers);

bool peers_has(const struct peers *peers, int fd);

/* It is readable: reads once, and answers. False: it has ended, and was closed. */
bool peers_serve(struct peers *peers, struct scratch *scratch, int fd);

/* The same until there is nothing more to read: for a wait that tells of news alone. */
bool peers_drain(struct peers *peers, struct scratch *scratch, int fd);

/* n bytes were read into scratch->bytes by somebody else; answers as peers_serve() does. */
bool peers_answer(struct peers *peers, struct scratch *scratch, int fd, size_t n);

/* Ends it. */
void peers_end(struct peers *peers, int fd);

#endif
