#include "worker/stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "support.h"

/* ------------------------------------------------------------ a stream, and its other end */

struct rig;

typedef void frame_fn(struct rig *rig, const char *bytes, size_t length);

struct rig {
    struct drover_protocol protocol;
    struct drover_stream *stream; /* NULL: gone */
    int socket, client;
    enum stream_want want;
    int woken;
    int opened, drained, left, closed;
    int error;        /* as close was told */
    int refusal;      /* what open returns */
    size_t most;      /* bytes that ever waited to be sent */
    int full;         /* sends that were refused */
    frame_fn *answer; /* NULL: nothing */
    frame_fn *drain;
    struct buf frames; /* each in brackets */
    struct buf got;    /* by the client */
    bool is_ended;     /* the client has seen the end */
};

static int on_open(void *context, struct drover_stream *stream)
{
    struct rig *rig = context;
    rig->opened++;
    rig->stream = stream;
    return rig->refusal;
}

static void on_frame(void *context, struct drover_stream *stream, const char *bytes, size_t length)
{
    struct rig *rig = context;
    cr_assert_eq(stream, rig->stream);
    if (rig->answer) {
        rig->answer(rig, bytes, length);
        return;
    }
    buf_lit(&rig->frames, "[");
    buf_add(&rig->frames, bytes, length);
    buf_lit(&rig->frames, "]");
}

static void on_drained(void *context, struct drover_stream *stream)
{
    struct rig *rig = context;
    (void)stream;
    rig->drained++;
    if (rig->drain)
        rig->drain(rig, "", 0);
}

static void on_leaving(void *context, struct drover_stream *stream)
{
    struct rig *rig = context;
    (void)stream;
    rig->left++;
}

static void on_close(void *context, struct drover_stream *stream, int error)
{
    struct rig *rig = context;
    cr_assert_eq(stream, rig->stream);
    rig->closed++;
    rig->error = error;
    rig->stream = NULL;
    drover_stream_send(stream, "too late", 8); /* goes nowhere, and does no harm */
}

static void on_wake(void *context, struct conn *conn)
{
    struct rig *rig = context;
    (void)conn;
    rig->woken++;
}

static void make_stream(struct rig *rig, enum drover_framing framing)
{
    int ends[2];
    memset(rig, 0, sizeof *rig);
    rig->protocol = (struct drover_protocol){.framing = framing,
                                             .open = on_open,
                                             .frame = on_frame,
                                             .drained = on_drained,
                                             .leaving = on_leaving,
                                             .close = on_close};
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    rig->socket = ends[0];
    rig->client = ends[1];
    rig->stream = calloc(1, sizeof *rig->stream);
    *rig->stream = (struct drover_stream){
        .protocol = &rig->protocol, .context = rig, .wake = on_wake, .wake_context = rig};
}

static void open_rig(struct rig *rig, enum drover_framing framing)
{
    make_stream(rig, framing);
    cr_assert_eq(stream_open(rig->stream), 0);
    cr_assert_eq(rig->opened, 1);
}

static void close_rig(struct rig *rig)
{
    stream_free(rig->stream);
    cr_expect_eq(rig->closed, rig->opened, "told once that it is over");
    close(rig->socket);
    if (rig->client >= 0)
        close(rig->client);
    buf_free(&rig->frames);
    buf_free(&rig->got);
}

static size_t waiting(const struct rig *rig)
{
    return rig->stream->out.len - rig->stream->out_at;
}

/* Returns whether something has moved. */
static bool step(struct rig *rig)
{
    static char buffer[READ_BUFFER_SIZE];
    bool moved = false;
    rig->want = stream_step(rig->stream, rig->socket, buffer, sizeof buffer, &moved);
    if (waiting(rig) > rig->most)
        rig->most = waiting(rig);
    return moved;
}

static void client_receive(struct rig *rig, size_t most)
{
    while (most > 0 && !rig->is_ended) {
        size_t ask = most < 65536 ? most : 65536;
        char *to = buf_room(&rig->got, ask);
        cr_assert_not_null(to);
        ssize_t n = recv(rig->client, to, ask, 0);
        if (n < 0)
            break;
        rig->is_ended = n == 0;
        buf_grow(&rig->got, (size_t)n);
        most -= (size_t)n;
    }
}

static bool is_due(const struct rig *rig)
{
    struct pollfd p = {.fd = rig->socket, .events = POLLIN};
    if (rig->want == STREAM_WRITE)
        p.events = POLLOUT;
    return (rig->want == STREAM_READ || rig->want == STREAM_WRITE) && poll(&p, 1, 0) > 0;
}

/* Until it waits for the client, who reads all that comes. */
static void pump(struct rig *rig)
{
    int idle = 0;
    for (client_receive(rig, SIZE_MAX); is_due(rig); client_receive(rig, SIZE_MAX)) {
        idle = step(rig) ? 0 : idle + 1;
        cr_assert_lt(idle, 100, "it turns, and nothing moves");
    }
    client_receive(rig, SIZE_MAX);
}

static void say(struct rig *rig, struct span bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(rig->client, bytes.p, bytes.n, MSG_NOSIGNAL);
        cr_assert(n > 0 || errno == EAGAIN, "%m");
        bytes.p += n > 0 ? n : 0;
        bytes.n -= n > 0 ? (size_t)n : 0;
        pump(rig);
    }
}

static void expect_bytes(const struct buf *b, struct span wanted, const char *name)
{
    cr_expect(span_eq((struct span){.p = b->p, .n = b->len}, wanted), "%s: %.*s", name, (int)b->len,
              b->p);
}

/* ------------------------------------------------------------------------------ the frames */

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct {
    const char *name;
    enum drover_framing framing;
    struct span bytes;
    struct span frames;
    int error; /* at the client's end behind these bytes */
} talks[] = {
    {"lines", DROVER_LINES, BYTES("a\nbc\r\n\nd\n"), BYTES("[a][bc][][d]"), 0},
    {"half a line", DROVER_LINES, BYTES("a\nbc"), BYTES("[a]"), EPROTO},
    {"2", DROVER_PREFIX_2, BYTES("\0\1a\0\0\0\3b\nc"), BYTES("[a][][b\nc]"), 0},
    {"half a length", DROVER_PREFIX_2, BYTES("\0\1a\0"), BYTES("[a]"), EPROTO},
    {"4", DROVER_PREFIX_4, BYTES("\0\0\0\1a\0\0\0\0\0\0\0\2bc"), BYTES("[a][][bc]"), 0},
    {"half a frame", DROVER_PREFIX_4, BYTES("\0\0\0\1a\0\0\0\2b"), BYTES("[a]"), EPROTO},
    {"nothing", DROVER_LINES, BYTES(""), BYTES(""), 0},
    {"too long", DROVER_LINES, BYTES("a\nbcdefghijk\nl\n"), BYTES("[a]"), EMSGSIZE},
    {"too long, 4", DROVER_PREFIX_4, BYTES("\0\0\0\1a\xff\0\0\0"), BYTES("[a]"), EMSGSIZE},
};

Test(stream, frames_are_handed_out_whole)
{
    for (size_t i = 0; i < LENGTH(talks); i++)
        for (size_t piece = 1; piece <= talks[i].bytes.n + 1; piece++) {
            struct rig rig;
            open_rig(&rig, talks[i].framing);
            rig.protocol.frame_max = 9;
            for (size_t at = 0; at < talks[i].bytes.n && rig.want == STREAM_READ; at += piece) {
                size_t left = talks[i].bytes.n - at;
                say(&rig,
                    (struct span){.p = talks[i].bytes.p + at, .n = left < piece ? left : piece});
            }
            shutdown(rig.client, SHUT_WR);
            pump(&rig);
            cr_expect_eq(rig.want, STREAM_FAILED, "%s, by %zu", talks[i].name, piece);
            expect_bytes(&rig.frames, talks[i].frames, talks[i].name);
            stream_free(rig.stream);
            rig.stream = NULL;
            cr_expect_eq(rig.error, talks[i].error, "%s, by %zu: %s", talks[i].name, piece,
                         strerror(rig.error));
            close_rig(&rig);
        }
}

Test(stream, bytes_as_they_come)
{
    struct rig rig;
    open_rig(&rig, DROVER_RAW);
    say(&rig, SPAN("abc"));
    say(&rig, SPAN("\n"));
    expect_bytes(&rig.frames, SPAN("[abc][\n]"), "raw");
    cr_expect_eq(rig.stream->in.len, 0);
    close_rig(&rig);
}

/* Those behind a request that was upgraded. */
Test(stream, bytes_that_were_put_back_come_first)
{
    struct rig rig;
    make_stream(&rig, DROVER_LINES);
    cr_expect(stream_put_back(rig.stream, SPAN("a\nb\nc")));
    cr_assert_eq(stream_open(rig.stream), 0);
    step(&rig);
    expect_bytes(&rig.frames, SPAN("[a][b]"), "put back");
    cr_expect_eq(rig.want, STREAM_READ);
    say(&rig, SPAN("d\n"));
    expect_bytes(&rig.frames, SPAN("[a][b][cd]"), "put back");
    close_rig(&rig);
}

/* Whole or not is looked at only when a line end has come, or more than the longest line. */
Test(stream, a_long_line_that_is_dribbled)
{
    struct rig rig;
    open_rig(&rig, DROVER_LINES);
    rig.protocol.frame_max = FRAME_MAX;
    static char half[FRAME_MAX / 2];
    memset(half, 'x', sizeof half);
    say(&rig, (struct span){.p = half, .n = sizeof half});
    for (int i = 0; i < 20000; i++)
        say(&rig, SPAN("y"));
    say(&rig, SPAN("\nz\n"));
    cr_expect_eq(rig.frames.len, sizeof half + 20000 + 2 + 3);
    close_rig(&rig);
}

/* ---------------------------------------------------------------------------- the answers */

static void echo(struct rig *rig, const char *bytes, size_t length)
{
    if (drover_stream_send(rig->stream, bytes, length) < 0) {
        cr_assert_eq(errno, EAGAIN, "%m");
        rig->full++;
    }
}

static void make_frames(struct buf *bytes, size_t total)
{
    unsigned seed = 99;
    while (bytes->len < total) {
        uint32_t n = next_random(&seed) % (next_random(&seed) % 4 ? 200 : 40000);
        char length[4] = {(char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};
        buf_add(bytes, length, sizeof length);
        for (uint32_t i = 0; i < n; i++)
            buf_add(bytes, &(char){byte_at(bytes->len)}, 1);
    }
}

/* A client that sends when it can and reads only now and then: what waits for it has a bound, and
 * no answer is lost. */
Test(stream, ten_megabytes_there_and_back)
{
    struct rig rig;
    struct buf bytes = {0};
    int little = 1;
    unsigned seed = 3;
    open_rig(&rig, DROVER_PREFIX_4);
    rig.answer = echo;
    setsockopt(rig.socket, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    make_frames(&bytes, 10 * 1024 * 1024);
    size_t most_in = 0;
    for (size_t at = 0; rig.got.len < bytes.len;) {
        size_t left = bytes.len - at, n = next_random(&seed) % 100000;
        ssize_t sent = send(rig.client, bytes.p + at, left < n ? left : n, MSG_NOSIGNAL);
        at += sent > 0 ? (size_t)sent : 0;
        if (is_due(&rig))
            step(&rig);
        if (rig.stream->in.len > most_in)
            most_in = rig.stream->in.len;
        if (next_random(&seed) % 3 == 0 || left == 0)
            client_receive(&rig, next_random(&seed) % 200000);
    }
    cr_expect_eq(rig.full, 0);
    cr_expect_eq(rig.woken, 0, "what is sent within a step needs no other");
    cr_expect_leq(rig.most, DROVER_STREAM_QUEUE_MAX / 2 + 40000 + 4);
    cr_expect_leq(most_in, READ_BUFFER_SIZE + 40000 + 4);
    cr_assert_eq(rig.got.len, bytes.len);
    cr_expect_eq(memcmp(rig.got.p, bytes.p, bytes.len), 0);
    pump(&rig);
    cr_expect_eq(rig.want, STREAM_READ);
    cr_expect_leq(rig.stream->in.cap + rig.stream->out.cap, 2 * STREAM_KEEP_BYTES,
                  "what was needed for it is given back");
    buf_free(&bytes);
    close_rig(&rig);
}

static size_t to_send;

/* As much as is taken. */
static void pour(struct rig *rig, const char *bytes, size_t length)
{
    static const char piece[10000];
    (void)bytes;
    (void)length;
    for (; to_send > 0; to_send--)
        if (drover_stream_send(rig->stream, piece, sizeof piece) < 0) {
            cr_assert_eq(errno, EAGAIN, "%m");
            rig->full++;
            return;
        }
}

Test(stream, full_and_drained)
{
    struct rig rig;
    open_rig(&rig, DROVER_PREFIX_2);
    rig.answer = rig.drain = pour;
    to_send = 1000;
    say(&rig, SPAN("\0\1a"));
    cr_expect_eq(to_send, 0);
    cr_expect_eq(rig.got.len, 1000 * 10002);
    cr_expect_gt(rig.full, 0);
    cr_expect_eq(rig.drained, rig.full, "once for each EAGAIN");
    cr_expect_leq(rig.most, DROVER_STREAM_QUEUE_MAX + 10002);
    cr_expect_eq(rig.want, STREAM_READ);
    close_rig(&rig);
}

/* Nothing is read from a client that does not read. */
Test(stream, a_client_that_does_not_read_is_not_read_from)
{
    struct rig rig;
    open_rig(&rig, DROVER_LINES);
    rig.answer = pour;
    to_send = 1000;
    cr_assert_eq(send(rig.client, "a\n", 2, 0), 2);
    step(&rig);
    cr_expect_eq(rig.want, STREAM_WRITE);
    size_t left = to_send;
    cr_expect_gt(left, 0);
    cr_assert_eq(send(rig.client, "a\n", 2, 0), 2);
    for (int i = 0; i < 10; i++)
        cr_expect_not(step(&rig));
    cr_expect_eq(rig.want, STREAM_WRITE);
    cr_expect_eq(to_send, left);
    cr_expect_eq(rig.drained, 0);
    pump(&rig);
    cr_expect_geq(rig.drained, 1);
    close_rig(&rig);
}

Test(stream, what_cannot_be_sent)
{
    struct rig rig;
    open_rig(&rig, DROVER_LINES);
    rig.protocol.frame_max = 3;
    cr_expect_eq(drover_stream_send(rig.stream, "abcd", 4), -1);
    cr_expect_eq(errno, EMSGSIZE);
    cr_expect_eq(drover_stream_send(rig.stream, "a\nb", 3), -1);
    cr_expect_eq(errno, EMSGSIZE);
    cr_expect_eq(waiting(&rig), 0);
    cr_expect_eq(drover_stream_send(rig.stream, "abc", 3), 0);
    cr_expect_eq(drover_stream_send(rig.stream, NULL, 0), 0);
    cr_expect_eq(rig.woken, 2);
    drover_stream_end(rig.stream);
    cr_expect_eq(rig.woken, 3);
    cr_expect_eq(drover_stream_send(rig.stream, "abc", 3), -1);
    cr_expect_eq(errno, EPIPE);
    step(&rig);
    cr_expect_eq(rig.want, STREAM_END);
    client_receive(&rig, SIZE_MAX);
    expect_bytes(&rig.got, SPAN("abc\n\n"), "all before the end");
    close_rig(&rig);
    cr_expect_eq(rig.error, 0);
}

/* ---------------------------------------------------------------------------------- the end */

static void send_and_end(struct rig *rig, const char *bytes, size_t length)
{
    drover_stream_send(rig->stream, bytes, length);
    drover_stream_end(rig->stream);
}

/* From within a frame, with others behind it in the same piece, or in the socket. */
Test(stream, an_end_with_unread_input)
{
    static const char *const inputs[] = {"a\n", "a\nb\nc\n", "a\nb"};
    for (size_t i = 0; i < LENGTH(inputs); i++) {
        struct rig rig;
        open_rig(&rig, DROVER_LINES);
        rig.answer = send_and_end;
        say(&rig, span_of(inputs[i]));
        cr_expect_eq(rig.want, STREAM_END, "%s: %d", inputs[i], rig.want);
        expect_bytes(&rig.got, SPAN("a\n"), inputs[i]);
        close_rig(&rig);
        cr_expect_eq(rig.error, 0);
    }
}

static void pour_and_end(struct rig *rig, const char *bytes, size_t length)
{
    pour(rig, bytes, length);
    drover_stream_end(rig->stream);
}

Test(stream, an_end_sends_what_waits)
{
    struct rig rig;
    open_rig(&rig, DROVER_LINES);
    rig.answer = pour_and_end;
    to_send = 20;
    cr_assert_eq(send(rig.client, "a\nb\n", 4, 0), 4);
    int little = 1;
    setsockopt(rig.socket, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    step(&rig);
    cr_expect_eq(rig.want, STREAM_WRITE, "not yet");
    pump(&rig);
    cr_expect_eq(rig.want, STREAM_END);
    cr_expect_eq(rig.got.len, 20 * 10001);
    close_rig(&rig);
}

static void end_in_drain(struct rig *rig, const char *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    drover_stream_end(rig->stream);
}

Test(stream, an_end_in_drained)
{
    struct rig rig;
    open_rig(&rig, DROVER_LINES);
    rig.answer = pour;
    rig.drain = end_in_drain;
    to_send = 1000;
    say(&rig, SPAN("a\nb\nc\n"));
    cr_expect_eq(rig.want, STREAM_END);
    cr_expect_eq(rig.drained, 1);
    close_rig(&rig);
}

Test(stream, one_that_is_not_wanted)
{
    struct rig rig;
    make_stream(&rig, DROVER_LINES);
    rig.refusal = -1;
    cr_expect_eq(stream_open(rig.stream), -1);
    stream_free(rig.stream);
    cr_expect_eq(rig.closed, 0, "it was never open");
    rig.stream = NULL;
    rig.opened = 0;
    close_rig(&rig);
}

Test(stream, an_application_without_these_functions)
{
    struct rig rig;
    make_stream(&rig, DROVER_LINES);
    rig.protocol.open = NULL;
    rig.protocol.drained = NULL;
    rig.protocol.leaving = NULL;
    rig.protocol.close = NULL;
    rig.answer = pour;
    to_send = 40;
    cr_assert_eq(stream_open(rig.stream), 0);
    stream_leave(rig.stream);
    say(&rig, SPAN("a\n"));
    say(&rig, SPAN("a\n"));
    cr_expect_eq(rig.want, STREAM_READ);
    close_rig(&rig);
}

Test(stream, a_worker_that_leaves)
{
    struct rig rig;
    open_rig(&rig, DROVER_LINES);
    stream_leave(rig.stream);
    cr_expect_eq(rig.left, 1);
    close_rig(&rig);
    cr_expect_eq(rig.error, ESHUTDOWN);
    open_rig(&rig, DROVER_LINES);
    close_rig(&rig);
    cr_expect_eq(rig.error, ESHUTDOWN, "without a word before");
    open_rig(&rig, DROVER_LINES);
    stream_leave(rig.stream);
    shutdown(rig.client, SHUT_WR);
    pump(&rig);
    close_rig(&rig);
    cr_expect_eq(rig.error, 0, "the client was first");
}

/* With bytes that it has not read: that is a reset. */
Test(stream, a_client_that_goes)
{
    struct rig rig;
    open_rig(&rig, DROVER_LINES);
    rig.answer = pour;
    to_send = 1000;
    cr_assert_eq(send(rig.client, "a\n", 2, 0), 2);
    step(&rig);
    cr_expect_eq(rig.want, STREAM_WRITE);
    close(rig.client);
    rig.client = -1;
    step(&rig);
    cr_expect_eq(rig.want, STREAM_FAILED);
    close_rig(&rig);
    cr_expect_eq(rig.error, ECONNRESET, "%s", strerror(rig.error));
}

Test(stream, a_state_of_the_application)
{
    struct rig rig;
    open_rig(&rig, DROVER_LINES);
    cr_expect_null(drover_stream_attached(rig.stream));
    drover_stream_attach(rig.stream, &rig);
    cr_expect_eq(drover_stream_attached(rig.stream), &rig);
    close_rig(&rig);
}
