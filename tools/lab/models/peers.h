/*
 * peers - the connections that one process holds, each found by its descriptor; reading
 * and sending do not wait. Whoever waits for them calls in when one is readable.
 *
 * Threads may share it as long as each connection has one of them at a time.
 */
#ifndef DROVER_LAB_MODELS_PEERS_H
#define DROVER_LAB_MODELS_PEERS_H

#include <stdbool.h>
#include <stddef.h>

#include "lab/models/server.h"

enum peers_mode {
    PEERS_NONBLOCKING, /* the listener and all sockets */
    PEERS_BLOCKING,
};

struct peer {
    struct session session;
    struct session_stamp stamp;
    bool is_open;
};

struct peers {
    const struct server *server; /* borrowed */
    enum peers_mode mode;
    struct peer *list; /* owned; by descriptor */
    int room;          /* descriptors of this process */
    int top;           /* one past the highest there was */
};

/* Returns 0, or -1 with errno set. */
int peers_open(struct peers *peers, const struct server *server, enum peers_mode mode);
void peers_close(struct peers *peers);

/* The next connection that waits; -1 with errno set, EAGAIN if there is none. */
int peers_accept(struct peers *peers);

/* One that was accepted by other means. False: there is no room for it, and it was closed. */
bool peers_take(struct peers *peers, int fd);

bool peers_has(const struct peers *peers, int fd);

/* It is readable: reads once, and answers. False: it has ended, and was closed. */
bool peers_serve(struct peers *peers, struct scratch *scratch, int fd);

/* The same until there is nothing more to read: for a wait that tells of news alone. */
bool peers_drain(struct peers *peers, struct scratch *scratch, int fd);

/* n bytes of it were read; answers as peers_serve() does. */
bool peers_answer(struct peers *peers, struct buf *out, int fd, const char *bytes, size_t n);

/* Ends it. */
void peers_end(struct peers *peers, int fd);

/* The same for one that the model has no room for: it is counted as refused. */
void peers_refuse(struct peers *peers, int fd);

#endif
