/* Connections that become an application's stream by an upgrade. */
#include "rig.h"

static struct {
    int opened, closed, left, error;
    bool refuses;
    bool defers;
    struct drover_response *response;
    struct drover_stream *stream;
} chat;

static int chat_open(void *context, struct drover_stream *stream)
{
    cr_assert_eq(context, &chat);
    cr_assert_eq(drover_stream_attached(stream), &chat.opened, "what was given with the upgrade");
    chat.opened++;
    chat.stream = stream;
    drover_stream_send(stream, "hi", 2);
    return chat.refuses ? -1 : 0;
}

static void chat_frame(void *context, struct drover_stream *stream, const char *bytes,
                       size_t length)
{
    (void)context;
    if (length == 3 && memcmp(bytes, "end", 3) == 0)
        drover_stream_end(stream);
    else
        drover_stream_send(stream, bytes, length);
}

static void chat_leaving(void *context, struct drover_stream *stream)
{
    (void)context;
    (void)stream;
    chat.left++;
}

static void chat_close(void *context, struct drover_stream *stream, int error)
{
    (void)context;
    cr_assert_eq(stream, chat.stream);
    chat.closed++;
    chat.error = error;
    chat.stream = NULL;
}

static const struct drover_protocol chat_protocol = {.framing = DROVER_LINES,
                                                     .frame_max = 100,
                                                     .open = chat_open,
                                                     .frame = chat_frame,
                                                     .leaving = chat_leaving,
                                                     .close = chat_close};

static void handle_chat(void *context, const struct drover_request *request,
                        struct drover_response *response)
{
    if (strcmp(drover_request_path(request).p, "/chat") != 0) {
        handle(context, request, response);
        return;
    }
    chat.response = response;
    if (drover_response_upgrade(response, "chat", &chat_protocol, &chat.opened) < 0)
        drover_response_status(response, 426);
    drover_response_field(response, "X-Room", "1");
    if (chat.defers)
        drover_response_defer(response);
}

static void open_chat(struct rig *rig)
{
    memset(&chat, 0, sizeof chat);
    open_rig(rig);
    rig->app.handle = handle_chat;
    rig->app.context = &chat;
}

#define CHAT "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n"

static void expect_101(struct span *all)
{
    struct reply answer = take_answer(all, false);
    cr_assert_eq(answer.status, 101, "%d", answer.status);
    expect_lines(&answer, "Connection: Upgrade\nUpgrade: chat\nX-Room: 1", "101");
}

static const char chat_talk[] = GET("/a") "HEAD /b HTTP/1.1\r\nHost: x\r\n\r\n" CHAT
                                          "one\r\ntwo\n" GET("/no") "three\nend\nfour\n";

/* Requests before it, and lines behind it, however they are cut. */
Test(conn_upgrade, an_upgrade)
{
    for (int defers = 0; defers <= 1; defers++)
        for (size_t piece = 1; piece < sizeof chat_talk; piece++) {
            struct rig rig;
            open_chat(&rig);
            chat.defers = defers;
            for (size_t at = 0; at < sizeof chat_talk - 1; at += piece) {
                size_t left = sizeof chat_talk - 1 - at;
                client_send(&rig, chat_talk + at, left < piece ? left : piece);
                pump(&rig);
                if (defers && chat.response && chat.opened == 0) {
                    drover_response_finish(chat.response);
                    chat.response = NULL;
                    pump(&rig);
                }
            }
            struct span all = got(&rig);
            expect_answer(&all, 200, "GET/a");
            take_answer(&all, true);
            expect_101(&all);
            cr_expect(span_eq(all, SPAN("hi\none\ntwo\nGET /no HTTP/1.1\nHost: x\n\nthree\n")),
                      "by %zu: %.*s", piece, (int)all.n, all.p);
            cr_expect_eq(rig.row->requests, 3);
            cr_expect(rig.is_ended);
            say_goodbye(&rig);
            cr_expect_eq(chat.opened, 1);
            cr_expect_eq(chat.closed, 1);
            cr_expect_eq(chat.error, 0);
            close_rig(&rig);
        }
}

static const struct {
    const char *name;
    const char *request;
    int status;
} not_asked[] = {
    {"no word of it", GET("/chat"), 426},
    {"another", "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", 426},
    {"1.0", "GET /chat HTTP/1.0\r\nConnection: Upgrade, keep-alive\r\nUpgrade: chat\r\n\r\n", 426},
    {"a body",
     "POST /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: chat\r\n"
     "Content-Length: 3\r\n\r\nabc",
     426},
};

Test(conn_upgrade, an_upgrade_that_was_not_asked_for)
{
    for (size_t i = 0; i < LENGTH(not_asked); i++) {
        struct rig rig;
        open_chat(&rig);
        say(&rig, not_asked[i].request);
        say(&rig, GET("/a"));
        struct span all = got(&rig);
        struct reply answer = take_answer(&all, false);
        cr_expect_eq(answer.status, not_asked[i].status, "%s", not_asked[i].name);
        cr_expect_null(answer_field(&answer, "Upgrade").p, "%s", not_asked[i].name);
        expect_answer(&all, 200, "GET/a");
        cr_expect_eq(chat.opened, 0);
        close_rig(&rig);
    }
}

Test(conn_upgrade, an_upgrade_that_is_refused_in_the_end)
{
    struct rig rig;
    open_chat(&rig);
    chat.refuses = true;
    say(&rig, GET("/a"));
    say(&rig, CHAT "one\n");
    struct span all = got(&rig);
    expect_answer(&all, 200, "GET/a");
    cr_expect_eq(all.n, 0);
    cr_expect_not(rig.is_open);
    cr_expect_eq(chat.closed, 0);
    close_rig(&rig);
}

Test(conn_upgrade, how_an_upgraded_connection_ends)
{
    static const int errors[] = {0, EMSGSIZE, EPROTO, ETIMEDOUT, ESHUTDOWN};
    for (size_t i = 0; i < LENGTH(errors); i++) {
        struct rig rig;
        char line[200];
        memset(line, 'x', sizeof line);
        open_chat(&rig);
        say(&rig, CHAT);
        cr_expect_eq(rig.conn.state, CONN_STREAMING);
        cr_expect_eq(rig.conn.deadline.kind, DEADLINE_IDLE);
        if (errors[i] == EPROTO)
            say(&rig, "half");
        if (errors[i] == EMSGSIZE)
            say_bytes(&rig, line, sizeof line);
        if (errors[i] == 0 || errors[i] == EPROTO)
            shutdown(rig.client, SHUT_WR);
        pump(&rig);
        if (errors[i] == ETIMEDOUT) {
            enum deadline_kind kind;
            rig.env.now = deadlines_next(&rig.env.deadlines);
            deadlines_due(&rig.env.deadlines, rig.env.now, &kind);
            obey(&rig, conn_expire(&rig.conn, &rig.env, kind));
        }
        if (errors[i] == ESHUTDOWN) {
            conn_leave(&rig.conn);
            cr_expect_eq(chat.left, 1);
            end_conn(&rig);
        }
        cr_expect_not(rig.is_open);
        cr_expect_eq(chat.closed, 1);
        cr_expect_eq(chat.error, errors[i], "%s instead of %s", strerror(chat.error),
                     strerror(errors[i]));
        close_rig(&rig);
    }
}

Test(conn_upgrade, an_upgrade_while_the_worker_leaves)
{
    struct rig rig;
    open_chat(&rig);
    say(&rig, GET("/a"));
    rig.env.leaving = true;
    say(&rig, CHAT);
    cr_expect_eq(chat.left, 1, "it is told, as those before it were");
    cr_expect(rig.is_open);
    close_rig(&rig);
    cr_expect_eq(chat.error, ESHUTDOWN);
}

/* From outside of the stream's own functions: another's, a timer's. */
Test(conn_upgrade, sent_from_elsewhere)
{
    struct rig rig;
    open_chat(&rig);
    say(&rig, CHAT);
    struct span all = got(&rig);
    expect_101(&all);
    size_t taken = rig.got.len;
    for (int i = 0; i < 3; i++)
        cr_expect_eq(drover_stream_send(chat.stream, "news", 4), 0);
    cr_expect_eq(rig.env.woken_count, 1, "one wake for all of them");
    pump(&rig);
    cr_expect(span_eq((struct span){.p = rig.got.p + taken, .n = rig.got.len - taken},
                      SPAN("news\nnews\nnews\n")));
    drover_stream_end(chat.stream);
    pump(&rig);
    cr_expect(rig.is_ended);
    say_goodbye(&rig);
    cr_expect_eq(chat.error, 0);
    close_rig(&rig);
}
