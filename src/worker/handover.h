/*
 * handover - an open connection's way from one worker to another: one message with its socket.
 *
 * Only a connection that rests is handed over: nothing of a next request was read. What the client
 * has sent meanwhile goes along, unread, with the socket. The other worker may be of another
 * version of drover, so the message says which layout it has.
 */
#ifndef DROVER_WORKER_HANDOVER_H
#define DROVER_WORKER_HANDOVER_H

#include "worker/conn.h"

/* What is said of a connection. */
struct handover {
    struct http_address client; /* as a PROXY header had it */
    bool has_client;            /* there was one that named a client */
    bool is_greeting;           /* a PROXY header is still to come */
    bool is_shared;             /* another process may have its socket for a while: conn.h */
    uint32_t served;            /* answers */
};

/* Can another worker go on with it? */
bool handover_is_possible(const struct conn *conn);

/* Sends it into this end of an inbox; conn_close() is due then. -1 with errno set, as pass_send()
 * has it, and ETOOMANYREFS: so many descriptors are under way. */
int handover_send(int end, const struct conn *conn);

/*
 * Receives a socket, non-blocking and close-on-exec, the caller's own; what is said of it comes in
 * *out. -1 with errno set: EAGAIN, none is there; EMFILE, there is no descriptor for one, which
 * waits; EPROTO, one came that another version had written, and was closed; EMSGSIZE, one was lost;
 * EPIPE, none can come any more.
 */
int handover_receive(int end, struct handover *out);

/* Goes on with it: waits for a request. -1 when memory ran out; the socket is still the caller's.
 */
int handover_open(struct conn *conn, struct conn_env *env, int fd, const struct handover *what);

#endif
