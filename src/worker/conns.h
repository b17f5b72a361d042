/*
 * conns - all connections of a worker, each found by its descriptor's number: waits for what they
 * want, ends them, and hands them over to other workers.
 */
#ifndef DROVER_WORKER_CONNS_H
#define DROVER_WORKER_CONNS_H

#include "os/loop.h"
#include "worker/conn.h"
#include "worker/desk.h"
#include "worker/handover.h"
#include "worker/heirs.h"

/* Zeroed: none, and nothing to be closed. */
struct conns {
    int count;   /* open */
    size_t room; /* there can be so many: the process's limit of descriptors */

    /* private */
    int yield_from;
    struct loop *loop;             /* borrowed */
    struct conn_env *env;          /* borrowed */
    void (*on_end)(void *context); /* one is no longer here */
    void *context;
    struct conn *list; /* by descriptor number; untouched pages cost nothing */
    size_t top;        /* one past the highest number there was */
    struct heirs heirs;
    size_t give_from; /* from this number on some may wait to be handed over */
    int64_t give_at;  /* when that goes on; CLOCK_NEVER: none waits */
};

/* -1 with errno set. `yield_from`: with so many open, one more ends the one that is waited for the
 * longest, before its time is up: an idle one, unless there is none. One without a deadline stays.
 * 0: none ends for another. */
int conns_open(struct conns *conns, struct loop *loop, struct conn_env *env, int yield_from,
               void (*on_end)(void *context), void *context);

/* There are none left. */
void conns_close(struct conns *conns);

/* Takes a socket over that was accepted, or that another worker has handed over; it may get another
 * number (pristine.h). A failure closes it, and on_end is called then, too. */
void conns_start(struct conns *conns, int fd, bool is_proxied);
void conns_take(struct conns *conns, int fd, const struct handover *what);

/* What a worker's desk says of a connection that its successor goes on with. */
struct resumed {
    enum custody state;                /* one of the four that can be taken */
    const struct http_address *client; /* of the desk's; NULL: none is named */
    bool is_watched;                   /* the loop's epoll set waits for it, for EPOLLIN, already */
    struct span request;               /* of one that was HELD, borrowed until then; else empty */
};

/* Goes on with it, an open stream socket; what has come is answered from the next turn on, and the
 * request at once, as if just read. The desk is not trusted: one with a number there is no struct
 * for is closed, and HELD without its request. on_end is called then, too. */
void conns_resume(struct conns *conns, int fd, const struct resumed *what);

/* Its desk is not this worker's any more, and it is PASSED: drops those that were taken, whose
 * sockets stay open in the successor. Returns how many. */
int conns_forget_taken(struct conns *conns);

/* Is there room for one more that is handed over? It is served already, and stays so: only where
 * more descriptors could not be had, each with a file to send, or half as many again as the limit
 * says, it waits. */
bool conns_have_room(const struct conns *conns, const struct doors *doors, int max_connections);

/* The turn's events are over: what stood ready leaves. */
void conns_flush(struct conns *conns);

/* Those that the application has woken in this turn; what it wakes meanwhile is the next one's. */
void conns_wake(struct conns *conns);

/* Those whose time is up, EXPIRE_TURN_MAX of them; the rest is due in the next turn. */
void conns_expire(struct conns *conns);

/* The worker leaves: tells the streams. */
void conns_leave(const struct conns *conns);

/* From here on those that rest go to the heirs of this set, and so do the others when they come to
 * rest, until no heir is left. */
void conns_give(struct conns *conns, const struct doors *doors, const struct slot_set *heirs,
                int first);

/* And now no longer. */
void conns_keep(struct conns *conns);

/* Goes on with handing over; to be called from this time on, CLOCK_NEVER for none. */
void conns_tick(struct conns *conns);
int64_t conns_next(const struct conns *conns);

void conns_end_all(struct conns *conns);

#endif
