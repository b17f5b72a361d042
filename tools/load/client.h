/*
 * client - one client: connects, asks, reads the whole answers, asks again.
 *
 * It never waits. It says what it wants, and whoever runs it calls client_step() when that has
 * come; an edge-triggered wait is enough. The descriptor belongs to the client; a watch on it must
 * end before client_close().
 *
 * Several requests may be under way on its connection (pipelined). Each that was asked for ends
 * once, in the order they were asked, by a call of `over`.
 */
#ifndef DROVER_LOAD_CLIENT_H
#define DROVER_LOAD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/answer.h"
#include "load/job.h"
#include "load/ledger.h"

enum client_want {
    CLIENT_READ,  /* call client_step() when fd is readable */
    CLIENT_WRITE, /* call client_step() when fd is writable (connected, or room) or readable */
    CLIENT_MORE,  /* call client_step() again soon: not all that has come was read */
    CLIENT_LATER, /* call client_ask() with 0 in a while: a unix listener's queue is full */
    CLIENT_OVER,  /* nothing is under way */
};

struct client;

/* A request ended. It may not call anything of the client. */
typedef void client_over_fn(struct client *client, enum outcome outcome);

struct client {
    int fd; /* -1: not connected */
    unsigned id;
    unsigned pending;     /* requests under way */
    int error;            /* errno behind the last outcome, or 0 */
    int status;           /* of the last whole answer, or 0 */
    uint64_t bytes;       /* received, heads included */
    uint64_t connections; /* that came to be */
    uint64_t idle_ends;   /* of them those that the server ended while nothing was under way */

    /* private */
    client_over_fn *over;
    bool connected;
    bool kept;      /* this connection has given an answer */
    bool ending;    /* and will give no more */
    int send_error; /* nothing can be sent any more, what has come is read first */
    size_t unsent;  /* bytes of the requests under way */
    struct answer answer;
};

/* `id` chooses the source address. */
void client_init(struct client *client, unsigned id, client_over_fn *over);

/* Closes the connection, if there is one. Nothing may be under way: see client_lose(). */
void client_close(struct client *client);

/* The connection is of no more use: to be closed before the next client_ask(). */
bool client_is_spent(const struct client *client);

/* False while connecting, and when that failed. */
bool client_is_connected(const struct client *client);

/*
 * Starts n more requests, on the present connection or on a new one; as many as job->depth may be
 * under way. With n = 0 it tries again after CLIENT_LATER.
 */
enum client_want client_ask(struct client *client, struct job *job, unsigned n);

/*
 * Goes on. `peer_closed`: the wait reported the end of the peer's side, or an error; so that a
 * connection is not used again of which the client could know that it is closed.
 */
enum client_want client_step(struct client *client, struct job *job, bool peer_closed);

/* All that is under way ends like this, and the connection is spent. */
void client_lose(struct client *client, enum outcome outcome, int error);

#endif
