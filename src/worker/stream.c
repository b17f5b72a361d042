#include "worker/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "worker/framing.h"
#include "worker/outlet.h"

static size_t queued(const struct drover_stream *s)
{
    return s->out.len - s->out_at;
}

/* Most streams are idle most of the time: what a large frame took is not kept for the next. */
static void give_back(struct buf *b)
{
    if (b->cap > STREAM_KEEP_BYTES)
        buf_free(b);
    else
        buf_clear(b);
}

int stream_open(struct drover_stream *stream)
{
    const struct drover_protocol *protocol = stream->protocol;
    stream->is_open = true;
    stream->error = ESHUTDOWN; /* unless it ends otherwise, the worker's end is its own */
    if (!protocol->open || protocol->open(stream->context, stream) == 0)
        return 0;
    stream->is_open = false;
    return -1;
}

void stream_close(struct drover_stream *stream)
{
    const struct drover_protocol *protocol = stream->protocol;
    bool was_open = stream->is_open;
    stream->is_open = false;
    if (was_open && protocol->close)
        protocol->close(stream->context, stream, stream->error);
}

void stream_free(struct drover_stream *stream)
{
    if (!stream)
        return;
    stream_close(stream);
    buf_free(&stream->in);
    buf_free(&stream->out);
    free(stream);
}

void stream_leave(struct drover_stream *stream)
{
    if (stream->is_open && stream->protocol->leaving)
        stream->protocol->leaving(stream->context, stream);
}

bool stream_put_back(struct drover_stream *stream, struct span bytes)
{
    buf_span(&stream->in, bytes);
    stream->is_held = bytes.n > 0;
    return !stream->in.failed;
}

/* ----------------------------------------------------------------------------- the sending */

static enum stream_want failed(struct drover_stream *s, int error)
{
    s->error = error;
    return STREAM_FAILED;
}

/* STREAM_READ: all has left. */
static enum stream_want flush(struct drover_stream *s, int socket, bool *moved)
{
    if (s->out.failed)
        return failed(s, ENOMEM);
    while (queued(s) > 0) {
        ssize_t n = outlet_write(socket, s->out.p + s->out_at, queued(s), false);
        if (n < 0)
            return failed(s, errno == EPIPE ? ECONNRESET : errno); /* the reset was seen before */
        if (n == 0)
            return STREAM_WRITE;
        s->out_at += (size_t)n;
        s->sent += (uint64_t)n;
        *moved = true;
    }
    give_back(&s->out);
    s->out_at = 0;
    return STREAM_READ;
}

static void tell_drained(struct drover_stream *s)
{
    if (!s->was_full)
        return;
    s->was_full = false;
    if (s->protocol->drained)
        s->protocol->drained(s->context, s);
}

/* --------------------------------------------------------------------------- the receiving */

/* Hands out frames, as long as what they are answered with can wait. False: one is too long. */
static bool hand_out(struct drover_stream *s, struct span *in)
{
    struct span frame;
    int whole = 1;
    while (!s->is_ending && queued(s) < DROVER_STREAM_QUEUE_MAX / 2 &&
           (whole = framing_take(s->protocol, in, &frame)) > 0)
        s->protocol->frame(s->context, s, frame.p, frame.n);
    s->is_held = whole > 0;
    return whole >= 0;
}

/* Frames that had to wait. */
static enum stream_want hand_out_kept(struct drover_stream *s)
{
    struct span in = {.p = s->in.p, .n = s->in.len};
    bool is_fine = hand_out(s, &in);
    buf_drop(&s->in, s->in.len - in.n);
    if (s->in.len == 0)
        give_back(&s->in);
    return is_fine ? STREAM_READ : failed(s, EMSGSIZE);
}

/* Can a line that was not whole be whole now, or too long? One that comes byte by byte must not
 * cost a look at all of it a byte. */
static bool is_news(const struct drover_stream *s, struct span fresh)
{
    return s->protocol->framing != DROVER_LINES || s->in.len > framing_max(s->protocol) + 1 ||
           memchr(fresh.p, '\n', fresh.n);
}

static enum stream_want hand_out_fresh(struct drover_stream *s, struct span in)
{
    if (s->in.len > 0) {
        buf_span(&s->in, in);
        if (s->in.failed)
            return failed(s, ENOMEM);
        return is_news(s, in) ? hand_out_kept(s) : STREAM_READ;
    }
    bool is_fine = hand_out(s, &in);
    buf_span(&s->in, in);
    if (s->in.failed)
        return failed(s, ENOMEM);
    return is_fine ? STREAM_READ : failed(s, EMSGSIZE);
}

static enum stream_want receive(struct drover_stream *s, int socket, char *buffer, size_t size,
                                bool *moved)
{
    ssize_t n = recv(socket, buffer, size, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? STREAM_READ : failed(s, errno);
    if (n == 0)
        return failed(s, s->in.len > 0 ? EPROTO : 0);
    *moved = true;
    return hand_out_fresh(s, (struct span){.p = buffer, .n = (size_t)n});
}

/*
 * Sends what is queued; where the socket took it all, has frames that had to wait handed out, and
 * sends again what they are answered with. Not without end: other connections have their turn.
 */
static enum stream_want settle(struct drover_stream *s, int socket, bool *moved)
{
    enum stream_want want = flush(s, socket, moved);
    for (int i = 0; i < STREAM_TURN_MAX && want == STREAM_READ; i++) {
        tell_drained(s);
        if (s->is_held && !s->is_ending)
            want = hand_out_kept(s);
        if (want != STREAM_READ || (queued(s) == 0 && (!s->is_held || s->is_ending)))
            return want;
        want = flush(s, socket, moved);
    }
    return want == STREAM_READ ? STREAM_WRITE : want;
}

static enum stream_want step(struct drover_stream *stream, int socket, char *buffer, size_t size,
                             bool *moved)
{
    /* What is queued is sent before more is read: from a client that does not read, nothing is. */
    enum stream_want want = settle(stream, socket, moved);
    if (want == STREAM_READ && !stream->is_ending)
        want = receive(stream, socket, buffer, size, moved);
    if (want == STREAM_READ)
        want = settle(stream, socket, moved);
    if (want != STREAM_READ || !stream->is_ending)
        return want;
    stream->error = 0;
    return STREAM_END;
}

enum stream_want stream_step(struct drover_stream *stream, int socket, char *buffer, size_t size,
                             bool *moved)
{
    stream->is_stepped = true;
    enum stream_want want = step(stream, socket, buffer, size, moved);
    stream->is_stepped = false;
    return want;
}

/* ----------------------------------------------------------------- what an application calls */

/* What is said within a step is heeded there: a wake would cost another one, and its recv(2). */
static void wake(const struct drover_stream *stream)
{
    if (!stream->is_stepped)
        stream->wake(stream->wake_context, stream->conn);
}

static int refused(int error)
{
    errno = error;
    return -1;
}

int drover_stream_send(struct drover_stream *stream, const void *bytes, size_t length)
{
    struct span frame = {.p = bytes, .n = length};
    if (stream->is_ending)
        return refused(EPIPE);
    if (!framing_allows(stream->protocol, frame))
        return refused(EMSGSIZE);
    if (queued(stream) > DROVER_STREAM_QUEUE_MAX) {
        stream->was_full = true;
        return refused(EAGAIN);
    }
    framing_write(stream->protocol, &stream->out, frame);
    wake(stream);
    return stream->out.failed ? refused(ENOMEM) : 0;
}

void drover_stream_end(struct drover_stream *stream)
{
    stream->is_ending = true;
    wake(stream);
}

void drover_stream_attach(struct drover_stream *stream, void *state)
{
    stream->state = state;
}

void *drover_stream_attached(const struct drover_stream *stream)
{
    return stream->state;
}

struct drover_worker *drover_stream_worker(const struct drover_stream *stream)
{
    return stream->worker;
}
