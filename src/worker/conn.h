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
#include "worker/unsent.h"

enum conn_want {
    CONN_WANT_READ,
    CONN_WANT_WRITE,
    CONN_WANT_WAKE,  /* the application's word: conn_wake() is due then; conn_step() on its end */
    CONN_WANT_CLOSE, /* conn_close() is due */
};

enum conn_state {
    CONN_CLOSED,    /* a zeroed struct */
    CONN_GREETING,  /* waits for a PROXY header, or for the rest of one */
    CONN_FRESH,     /* no request was looked for yet */
    CONN_RECEIVING, /* waits for a request, or for the rest of one */
    CONN_WAITING,   /* the application has not answered yet, or not all */
    CONN_SENDING,   /* the socket has not taken all of the answer, or the turn was over */
    CONN_LINGERING, /* all was said; what the client still sends is dropped (RFC 9112, 9.6) */
    CONN_STREAMING, /* the application has it to itself */
};

struct access;
struct desk;
struct pristine;
struct conn_work; /* what is incomplete */

struct conn {
    struct deadline deadline;    /* first: the connection is found from it */
    struct conn_work *work;      /* owned; NULL while nothing is incomplete */
    struct http_address *client; /* owned; NULL: the peer, which was not looked for yet */
    struct conn *next_woken;     /* in conn_env.woken */
    int fd;                      /* owned while open */
    uint32_t served;             /* answers */
    uint8_t state;               /* enum conn_state */
    uint8_t armed;               /* conns.c: which want it waits for, plus 1; 0: not watched */
    bool is_woken;               /* is on that list */
    bool closing;                /* what is being sent is the last */
    bool is_unsent;              /* its last answer is in conn_env.unsent */
    bool is_held;                /* and nothing of it has left, and its request lies on the desk */
    bool is_shared : 1;          /* another process may have its socket too: close() ends nothing */
    bool is_named : 1;           /* `client` is who a PROXY header says, or said before */
    bool linger; /* it may be sending, or not have all: close so that the answer arrives */
};

_Static_assert(sizeof(struct conn) <= 64, "a connection is one cache line");

/* Of conn_env.begun_us: another worker has read the request, counted it, and logged the answer that
 * it had made. */
#define BEGUN_ELSEWHERE INT64_MIN

/* Requests of a turn that had begun before it, and whose times are taken at its end. More than
 * these are taken to have ended when it began. */
#define CONN_TURN_LATE_MAX 64

/* Answers of a turn whose time is not counted yet: see account.h. Zeroed: none. */
struct conn_turn {
    uint64_t fresh; /* to requests that have come in this turn */
    int late_count;
    int64_t late[CONN_TURN_LATE_MAX]; /* when the others had begun, as clock_us() */
};

/* What all connections of a worker share. */
struct conn_env {
    struct exchange_env exchanges;
    struct exchange *exchange; /* for the next request; owned; NULL: to be made */
    struct deadlines deadlines;
    struct board_row *row;        /* borrowed */
    struct access *access;        /* borrowed; NULL: no access log */
    struct span refused;          /* a request that is about to be refused, as far as it has come */
    struct buf out;               /* answers that are gathered */
    struct drover_prepared *lent; /* held: the only one, in place of these; NULL: there is none */
    struct unsent unsent;         /* answers of this turn that leave at its end */
    char *read_buffer;            /* READ_BUFFER_SIZE bytes; owned, where they are not the desk's */
    struct desk *desk;            /* borrowed; NULL: nobody goes on with its connections */
    struct http_address *clients; /* of its desk, by descriptor; NULL: none is named */
    const struct pristine *pristine; /* borrowed; numbers that no connection keeps; NULL: none */
    bool is_twinned;    /* those that are resumed may be another process's, too: see desk.h */
    struct conn *woken; /* those that the application has woken, the first first */
    struct conn *woken_last;
    int woken_count;
    int64_t now;               /* of this turn, as clock_ms() */
    int64_t now_us;            /* the same as clock_us() */
    int64_t begun_us;          /* the request at hand: the turn that had its first byte; 0: this */
    struct conn_turn turn;     /* what was answered in it */
    uint32_t served_max;       /* answers of one connection, 0: any number */
    time_t greeting_warned_at; /* when a bad PROXY header was last told */
    bool has_streams;          /* there were upgrades */
    bool leaving;              /* the worker leaves: every answer is its connection's last */
    bool has_heirs;            /* but for those that others will go on with */
};

/* Returns -1 with errno set. The deadlines' lengths, and what has a default, may be changed then.
 */
int conn_env_open(struct conn_env *env, const struct drover_app *app, struct drover_worker *worker,
                  struct board_row *row);
void conn_env_free(struct conn_env *env);

/* From here on what is taken over is noted on this desk, and in its clients; read_buffer is there.
 * NULL: on none any more. -1 with errno set when memory ran out. */
int conn_env_put_desk(struct conn_env *env, struct desk *desk, struct http_address *clients);

/* What stood ready was sent: its requests need no longer lie on the desk, which there is. */
void conn_release_held(struct conn_env *env);

/* The application is about to be called for what may take time, or may crash: no answer waits for
 * that, and what was looked up in this turn is looked up anew behind it. */
void conn_before_call(struct conn_env *env);

/* Takes over an accepted, non-blocking socket. conn_step() is due at once. `is_proxied`: a PROXY
 * header comes first. */
void conn_open(struct conn *conn, struct conn_env *env, int fd, bool is_proxied);

/* Does what can be done without waiting; to be called when what it wanted has come. */
enum conn_want conn_step(struct conn *conn, struct conn_env *env);

/* The same for a request that another process has read, and whose answer was held: as if it had
 * come now, but for what was counted and logged. */
enum conn_want conn_replay(struct conn *conn, struct conn_env *env, struct span request);

/* Goes on with an answer that its client has not taken whole at once. */
enum conn_want conn_unsent(const struct unsent_one *one, struct conn_env *env);

/* The first of those that were woken, taken off their list; there must be one. */
struct conn *conn_next_woken(struct conn_env *env);

/* The application has woken it. */
enum conn_want conn_wake(struct conn *conn, struct conn_env *env);

/* Its deadline of this kind has passed. */
enum conn_want conn_expire(struct conn *conn, struct conn_env *env, enum deadline_kind kind);

/* It is the application's: a stream, or what it answers later, or by pieces. */
bool conn_lasts(const struct conn *conn);

/* The worker leaves: tells the application, if the connection is its stream. */
void conn_leave(struct conn *conn);

/* Closes the socket and gives back what it owned. */
void conn_close(struct conn *conn, struct conn_env *env);

/* The same for one that is another process's: it goes on there, and is counted there alone once the
 * master knows of it (board_pass()). */
void conn_forget(struct conn *conn, struct conn_env *env);

#endif
