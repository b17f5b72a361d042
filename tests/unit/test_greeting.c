/* Connections that begin with a PROXY header. */
#include "rig.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define BINARY    SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x12\x67\0\x50"
#define TEXT      "PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n"
#define ASK       "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

#define BYTES(literal)                            \
    {                                             \
        .p = (literal), .n = sizeof(literal) - 1, \
    }

static void say_client(void *context, const struct drover_request *request,
                       struct drover_response *response)
{
    char host[DROVER_HOST_SIZE], text[DROVER_HOST_SIZE + 16];
    uint16_t port;
    (void)context;
    cr_assert_eq(drover_request_client(request, host, &port), 0);
    int n = snprintf(text, sizeof text, "%s %d", host, port);
    drover_response_body(response, text, (size_t)n);
}

static void open_greeting(struct rig *rig)
{
    open_rig(rig);
    rig->app.handle = say_client;
    rig->conn.state = CONN_GREETING;
}

static const struct {
    const char *name;
    struct span bytes;
    const char *client; /* NULL: closed without a word */
} rows[] = {
    {"text", BYTES(TEXT ASK), "192.0.2.1 4711"},
    {"binary", BYTES(BINARY ASK), "192.0.2.1 4711"},
    {"IPv6", BYTES("PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n" ASK), "2001:db8::1 1"},
    {"not told", BYTES("PROXY UNKNOWN\r\n" ASK), "unix: 0"},
    {"the proxy's own", BYTES(SIGNATURE "\x20\0\0\0" ASK), "unix: 0"},
    {"a request", BYTES(ASK), NULL},
    {"a port too high", BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 65536 80\r\n" ASK), NULL},
    {"another version", BYTES(SIGNATURE "\x31\x11\0\x0c"), NULL},
    {"longer than is taken", BYTES(SIGNATURE "\x21\x11\x08\x01"), NULL},
};

/* How the bytes come makes no difference. */
Test(greeting, whole_and_in_pieces)
{
    for (size_t i = 0; i < LENGTH(rows); i++)
        for (size_t piece = 1; piece <= rows[i].bytes.n; piece++) {
            struct rig rig;
            open_greeting(&rig);
            for (size_t at = 0; at < rows[i].bytes.n && rig.is_open; at += piece) {
                size_t left = rows[i].bytes.n - at;
                say_bytes(&rig, rows[i].bytes.p + at, piece < left ? piece : left);
            }
            struct span all = got(&rig);
            cr_expect_eq(rig.is_open, rows[i].client != NULL, "%s, by %zu", rows[i].name, piece);
            if (rows[i].client)
                expect_answer(&all, 200, rows[i].client);
            cr_expect_eq(all.n, 0, "%s, by %zu: no more than that", rows[i].name, piece);
            close_rig(&rig);
        }
}

/* It counts for all of the connection, and stands there once. */
Test(greeting, is_for_the_whole_connection)
{
    struct rig rig;
    open_greeting(&rig);
    say(&rig, TEXT);
    cr_expect_eq(rig.want, CONN_WANT_READ);
    say(&rig, ASK ASK);
    say(&rig, ASK);
    struct span all = got(&rig);
    for (int i = 0; i < 3; i++)
        expect_answer(&all, 200, "192.0.2.1 4711");
    say(&rig, TEXT);
    cr_expect(rig.is_ended, "it is no request");
    close_rig(&rig);
}

/* Half a header is no request that could be answered. */
Test(greeting, is_bounded_in_time)
{
    static const char *const parts[] = {"", "PROXY TCP4 192.0.2.1", TEXT};
    for (size_t i = 0; i < LENGTH(parts); i++) {
        struct rig rig;
        enum deadline_kind kind;
        open_greeting(&rig);
        say(&rig, parts[i]);
        rig.env.now += timeouts[DEADLINE_HEADER];
        cr_assert_not_null(deadlines_due(&rig.env.deadlines, rig.env.now, &kind), "%zu", i);
        obey(&rig, conn_expire(&rig.conn, &rig.env, kind));
        pump(&rig);
        cr_expect_eq(got(&rig).n, 0, "%zu", i);
        cr_expect_not(rig.is_open, "%zu", i);
        close_rig(&rig);
    }
}

/* --------------------------------------------------------------------------- in front of a stream
 */

static void give_back(void *context, struct drover_stream *stream, const char *bytes, size_t length)
{
    char host[DROVER_HOST_SIZE];
    (void)context;
    cr_expect_eq(drover_stream_client(stream, host, NULL), 0);
    cr_expect_str_eq(host, "192.0.2.1");
    cr_expect_eq(drover_stream_send(stream, bytes, length), 0);
}

Test(greeting, before_a_stream)
{
    static const struct drover_protocol echo = {.framing = DROVER_LINES, .frame = give_back};
    static const struct span bytes = BYTES(BINARY "one\ntwo\n");
    for (size_t piece = 1; piece <= bytes.n; piece++) {
        struct rig rig;
        open_greeting(&rig);
        rig.app.handle = NULL;
        rig.app.stream = &echo;
        for (size_t at = 0; at < bytes.n; at += piece)
            say_bytes(&rig, bytes.p + at, piece < bytes.n - at ? piece : bytes.n - at);
        cr_expect(span_eq(got(&rig), SPAN("one\ntwo\n")), "by %zu", piece);
        close_rig(&rig);
    }
}
