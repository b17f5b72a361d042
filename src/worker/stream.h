/*
 * stream - a connection that an application has to itself: frames in, frames out.
 */
#ifndef DROVER_WORKER_STREAM_H
#define DROVER_WORKER_STREAM_H

#include <drover.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

struct conn;

/* What drover.h calls a stream. */
struct drover_stream {
    const struct drover_protocol *protocol;              /* borrowed */
    void *context;                                       /* the application's; borrowed */
    struct drover_worker *worker;                        /* borrowed */
    struct conn *conn;                                   /* borrowed */
    void (*wake)(void *wake_context, struct conn *conn); /* there is something to send */
    void *wake_context;
    void *state;
    struct buf in;  /* frames that are not whole, or had to wait */
    struct buf out; /* what the socket did not take */
    size_t out_at;
    bool is_open;    /* the application knows of it */
    bool is_ending;  /* by drover_stream_end() */
    bool is_held;    /* there may be whole frames in `in` */
    bool was_full;   /* an EAGAIN was seen */
    bool is_stepped; /* stream_step() is at work */
    int error;       /* why it is over */
    uint64_t sent;   /* bytes that have left; whoever counts them begins at 0 again */
};

enum stream_want {
    STREAM_READ,
    STREAM_WRITE,
    STREAM_END,    /* all was sent after drover_stream_end() */
    STREAM_FAILED, /* it is over, and `error` tells why */
};

/* Tells the application. Returns -1 when it does not want it. */
int stream_open(struct drover_stream *stream);

/* Tells the application why it is over, if it knows of it. */
void stream_close(struct drover_stream *stream);

/* Frees it, told or not. */
void stream_free(struct drover_stream *stream);

/* The worker leaves. */
void stream_leave(struct drover_stream *stream);

/* Bytes that came with the request that was upgraded. False when memory ran out. */
bool stream_put_back(struct drover_stream *stream, struct span bytes);

/*
 * Sends, hands out the frames there are, and reads once into the buffer, which is lent. *moved:
 * something was sent or has come.
 */
enum stream_want stream_step(struct drover_stream *stream, int socket, char *buffer, size_t size,
                             bool *moved);

#endif
