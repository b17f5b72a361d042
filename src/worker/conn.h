/*
 * conn - one client's connection: a state machine over its socket.
 *
 * It reads, has requests answered, writes, and says what it wants next. It never mentions epoll:
 * how to wait is the worker's business. It reads into one buffer of the worker, and answers from
 * one; memory of its own it has only while a request or an answer is incomplete.
 */
#ifndef DROVER_WORKER_CONN_H
#define DROVER_WORKER_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "worker/board.h"
#include "worker/deadlines.h"
#include "worker/exchange.h"

enum conn_want {
    CONN_WANT_READ,
    CONN_WANT_WRITE,
    CONN_WANT_CLOSE, /* conn_close() is due */
};

enum conn_state {
    CONN_CLOSED,    /* a zeroed struct */
    CONN_RECEIVING, /* waits for a request, or for the rest of one */
    CONN_SENDING,   /* the socket has not taken all of the answer, or the turn was over */
    CONN_LINGERING, /* all was said; what the client still sends is dropped (RFC 9112, 9.6) */
};

struct conn_work; /* what is incomplete */

struct conn {
    struct deadline deadline; /* first: the connection is found from it */
    struct conn_work *work;   /* owned; NULL while nothing is incomplete */
    int fd;                   /* owned while open */
    uint8_t state;            /* enum conn_state */
    uint8_t armed;            /* the worker's: which want it waits for, plus 1; 0: not watched */
    bool served;              /* has had an answer */
    bool closing;             /* what is being sent is the last */
    bool linger; /* it may be sending, or not have all: close so that the answer arrives */
};

/* What all connections of a worker share. */
struct conn_env {
    struct exchange exchange;
    struct deadlines deadlines;
    struct board_row *row; /* borrowed */
    struct buf out;        /* answers that are gathered */
    char *read_buffer;     /* READ_BUFFER_SIZE bytes, owned */
    int64_t now;           /* of this turn, as clock_ms() */
    bool leaving;          /* every answer is its connection's last */
};

/* Returns -1 with errno set. The deadlines' lengths are the caller's to fill in. */
int conn_env_open(struct conn_env *env, const struct drover_app *app, struct board_row *row);
void conn_env_free(struct conn_env *env);

/* Takes over an accepted, non-blocking socket. conn_step() is due at once. */
void conn_open(struct conn *conn, struct conn_env *env, int fd);

/* Does what can be done without waiting; to be called when what it wanted has come. */
enum conn_want conn_step(struct conn *conn, struct conn_env *env);

/* Its deadline of this kind has passed. */
enum conn_want conn_expire(struct conn *conn, struct conn_env *env, enum deadline_kind kind);

/* Closes the socket and gives back what it owned. */
void conn_close(struct conn *conn, struct conn_env *env);

#endif
