/* Everything at once, at random: what the sanitizer, and the counts at the end, have to say. */
#include <signal.h>

#include "rig.h"

#define ALIVE_MAX 64

/* Answers and streams that the application has in its hands. */
static struct {
    unsigned seed;
    struct drover_response *responses[ALIVE_MAX]; /* deferred, and not finished */
    struct drover_response *pulled[ALIVE_MAX];    /* that may be resumed: gone with the release */
    struct drover_stream *streams[ALIVE_MAX];
    int attached, released;
    int opened, closed;
} storm;

static unsigned dice(unsigned sides)
{
    return next_random(&storm.seed) % sides;
}

static int find(void *const *list, const void *wanted)
{
    for (int i = 0; i < ALIVE_MAX; i++)
        if (list[i] == wanted)
            return i;
    return -1;
}

/* ------------------------------------------------------------------------ answers of all kinds */

static void on_release(void *state)
{
    int i = find((void *const *)storm.pulled, state);
    if (i >= 0)
        storm.pulled[i] = NULL;
    i = find((void *const *)storm.responses, state);
    if (i >= 0)
        storm.responses[i] = NULL; /* the worker has ended */
    storm.released++;
}

static long on_pull(void *state, char *to, size_t room)
{
    unsigned what = dice(20);
    if (what == 0)
        return DROVER_END;
    if (what == 1 && dice(4) == 0)
        return DROVER_FAILED;
    if (what < 6) {
        if (dice(3) == 0)
            drover_response_resume(state);
        return DROVER_LATER;
    }
    size_t n = dice(4) ? dice(100) + 1 : dice((unsigned)room) + 1;
    memset(to, 'p', n);
    return (long)n;
}

static void fill_in(struct drover_response *response)
{
    static const char bytes[20000];
    unsigned what = dice(8);
    if (dice(4) == 0)
        drover_response_status(response, dice(2) ? 404 : 204);
    if (dice(4) == 0)
        drover_response_etag(response, "\"x\"");
    if (what == 0) {
        drover_response_file(response, make_file(100000), 100000);
    } else if (what < 4) {
        int i = find((void *const *)storm.pulled, NULL);
        if (i >= 0 &&
            drover_response_pull(response, dice(2) ? -1 : (int)dice(5000), on_pull, response) == 0)
            storm.pulled[i] = response;
    } else {
        drover_response_body(response, bytes, dice(2) ? dice(100) : dice(sizeof bytes));
    }
}

static int on_receive(void *state, struct drover_response *response, const char *bytes,
                      size_t length)
{
    cr_assert_eq(state, &storm);
    for (size_t i = 0; i < length; i++) /* for the sanitizer */
        cr_assert_neq(bytes[i], '\0');
    if (length == 0 && find((void *const *)storm.responses, response) < 0)
        fill_in(response);
    return dice(10) == 0 ? -1 : 0;
}

static int on_open(void *context, struct drover_stream *stream)
{
    (void)context;
    int i = find((void *const *)storm.streams, NULL);
    if (i < 0 || dice(10) == 0)
        return -1;
    storm.streams[i] = stream;
    storm.opened++;
    return 0;
}

static void on_frame(void *context, struct drover_stream *stream, const char *bytes, size_t length)
{
    (void)context;
    unsigned what = dice(30);
    for (unsigned i = 0; i < (what == 1 ? 2000 : 1); i++)
        drover_stream_send(stream, bytes, length);
    if (what == 0)
        drover_stream_end(stream);
}

static void on_drained(void *context, struct drover_stream *stream)
{
    on_frame(context, stream, "drained", 7);
}

static void on_close(void *context, struct drover_stream *stream, int error)
{
    int i = find((void *const *)storm.streams, stream);
    (void)context;
    (void)error;
    cr_assert_geq(i, 0);
    storm.streams[i] = NULL;
    storm.closed++;
    drover_stream_send(stream, "x", 1);
    drover_stream_end(stream);
}

static const struct drover_protocol protocol = {.framing = DROVER_LINES,
                                                .frame_max = 1000,
                                                .open = on_open,
                                                .frame = on_frame,
                                                .drained = on_drained,
                                                .close = on_close};

static void handle_storm(void *context, const struct drover_request *request,
                         struct drover_response *response)
{
    (void)context;
    (void)request;
    storm.attached++;
    cr_assert_eq(drover_response_attach(response, response, on_release), 0);
    drover_response_receive(response, on_receive, &storm);
    if (dice(3) == 0 && drover_response_upgrade(response, "s", &protocol, NULL) == 0)
        return;
    int i = find((void *const *)storm.responses, NULL);
    if (i >= 0 && dice(2)) {
        drover_response_defer(response);
        if (dice(8) == 0)
            drover_response_finish(response);
        else
            storm.responses[i] = response;
    } else {
        fill_in(response);
    }
}

/* ------------------------------------------------------------------------ clients of all kinds */

static void write_requests(struct buf *bytes)
{
    static const char *const requests[] = {
        GET("/a"),
        GET("/a"),
        "HEAD / HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"x\"\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nGET / HTT",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n1\r\nx\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\nabc",
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: s\r\n\r\n"
        "a\nbcd\nefgh\n\n\n\nijk\nlmnopqrst\nu\n",
        GET_LAST("/"),
        "bad\r\n",
    };
    int count = (int)dice(30) + 1;
    for (int i = 0; i < count; i++)
        buf_str(bytes, requests[dice(dice(2) ? 7 : LENGTH(requests))]);
}

static void act_on_response(void)
{
    unsigned i = dice(ALIVE_MAX);
    struct drover_response *response = storm.responses[i];
    if (response) {
        storm.responses[i] = NULL;
        fill_in(response);
        drover_response_finish(response);
    }
    if (storm.pulled[i])
        drover_response_resume(storm.pulled[i]);
    if (storm.streams[i] && dice(3) == 0)
        drover_stream_send(storm.streams[i], "news", 4);
}

static void expire(struct rig *rig)
{
    enum deadline_kind kind;
    if (deadlines_next(&rig->env.deadlines) == INT64_MAX)
        return;
    rig->env.now = deadlines_next(&rig->env.deadlines);
    cr_assert_eq(deadlines_due(&rig->env.deadlines, rig->env.now, &kind), &rig->conn.deadline);
    obey(rig, conn_expire(&rig->conn, &rig->env, kind));
}

static void talk(struct rig *rig, struct buf *bytes)
{
    size_t at = 0;
    for (int i = 0; i < 400 && rig->is_open; i++) {
        unsigned what = dice(100);
        size_t n = dice(200) < bytes->len - at ? dice(200) : bytes->len - at;
        if (n > bytes->len - at)
            n = bytes->len - at;
        if (what < 25 && rig->client >= 0)
            at += client_send(rig, bytes->p + at, n);
        else if (what < 50 && is_due(rig))
            step(rig);
        else if (what < 70)
            act_on_response();
        else if (what < 85)
            wake(rig);
        else if (what < 97)
            client_receive(rig, dice(30000));
        else if (what == 97 && dice(5) == 0)
            expire(rig);
        else if (what == 98 && dice(5) == 0)
            end_client(rig);
        else if (what == 99 && dice(5) == 0 && rig->client >= 0)
            shutdown(rig->client, SHUT_WR);
    }
}

static void run_storm(unsigned seed, enum drover_when when)
{
    struct rig rig;
    int before = count_fds();
    memset(&storm, 0, sizeof storm);
    storm.seed = seed;
    open_env(&rig);
    rig.app.handle = handle_storm;
    rig.app.when = when;
    for (int i = 0; i < 20; i++) {
        struct buf bytes = {0};
        int little = 1;
        open_conn(&rig);
        if (dice(2))
            setsockopt(rig.conn.fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
        write_requests(&bytes);
        talk(&rig, &bytes);
        end_conn(&rig);
        end_client(&rig);
        cr_assert_eq(storm.closed, storm.opened, "seed %u", seed);
        cr_assert_eq(rig.env.woken_count, 0);
        buf_free(&bytes);
    }
    close_rig(&rig);
    cr_expect_eq(storm.released, storm.attached, "seed %u", seed);
    cr_expect_eq(count_fds(), before, "seed %u: a file stays open", seed);
}

Test(conn_storm, at_random)
{
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE); /* as in every worker: sendfile(2) raises it */
    sigprocmask(SIG_BLOCK, &pipe_only, NULL);
    for (unsigned seed = 1; seed <= 60; seed++)
        run_storm(seed * 2654435761U, seed % 4 ? DROVER_AT_HEAD : DROVER_WITH_BODY);
}
