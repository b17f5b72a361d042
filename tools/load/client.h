/*
 * client - one client: connects, asks, reads the whole answer, asks again.
 *
 * It never waits. It says what it wants, and whoever runs it calls client_step() when that has
 * come. The descriptor belongs to the client; a watch on it must end before client_close().
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
    CLIENT_WRITE, /* call client_step() when fd is writable: connected, or room to send */
    CLIENT_LATER, /* call client_ask() again in a while: a unix listener's queue is full */
    CLIENT_OVER,  /* the request is over, and `outcome` says how */
};

struct client {
    int fd; /* -1: not connected */
    unsigned id;
    enum outcome outcome; /* of the last request */
    int error;            /* errno behind it, or 0 */
    uint64_t bytes;       /* received, heads included */
    uint64_t connections; /* that came to be */

    /* private */
    bool connected;
    bool kept;   /* this connection has given an answer */
    bool ending; /* and will give no more */
    size_t sent; /* bytes of the present request */
    struct answer answer;
};

/* `id` chooses the source address. */
void client_init(struct client *client, unsigned id);

/* Closes the connection, if there is one. */
void client_close(struct client *client);

/* The connection is of no more use: to be closed before the next client_ask(). */
bool client_is_spent(const struct client *client);

/* False while connecting, and when that failed. */
bool client_is_connected(const struct client *client);

/*
 * Starts a request, on the kept connection or on a new one. Call it when there is none under way,
 * or again after CLIENT_LATER.
 */
enum client_want client_ask(struct client *client, const struct job *job);

/*
 * Goes on. `peer_closed`: the wait reported the end of the peer's side, or an error; so that a
 * connection is not used again of which the client could know that it is closed.
 */
enum client_want client_step(struct client *client, const struct job *job, bool peer_closed);

#endif
