/* Connections that are an application's own from their first byte. */
#include "rig.h"

static struct {
    struct drover_stream *stream;
    int opened, closed, left, error;
    bool refuses, greets, floods;
} talk;

static int on_open(void *context, struct drover_stream *stream)
{
    (void)context;
    talk.opened++;
    talk.stream = stream;
    if (talk.greets)
        cr_assert_eq(drover_stream_send(stream, "hello", 5), 0);
    return talk.refuses ? -1 : 0;
}

static void on_frame(void *context, struct drover_stream *stream, const char *bytes, size_t length)
{
    (void)context;
    if (length == 3 && memcmp(bytes, "end", 3) == 0)
        drover_stream_end(stream);
    while (drover_stream_send(stream, bytes, length) == 0)
        if (!talk.floods)
            return;
}

static void on_leaving(void *context, struct drover_stream *stream)
{
    (void)context;
    talk.left++;
    drover_stream_send(stream, "bye", 3);
    drover_stream_end(stream);
}

static void on_close(void *context, struct drover_stream *stream, int error)
{
    (void)context;
    (void)stream;
    talk.closed++;
    talk.error = error;
    talk.stream = NULL;
}

static const struct drover_protocol protocol = {.framing = DROVER_LINES,
                                                .open = on_open,
                                                .frame = on_frame,
                                                .leaving = on_leaving,
                                                .close = on_close};

static void open_talk(struct rig *rig)
{
    memset(&talk, 0, sizeof talk);
    open_env(rig);
    rig->app.stream = &protocol;
    open_conn(rig);
}

static void close_talk(struct rig *rig)
{
    close_rig(rig);
    cr_expect_eq(talk.closed, talk.refuses ? 0 : talk.opened);
}

static void expect_got(const struct rig *rig, const char *text)
{
    cr_expect(span_eq(got(rig), span_of(text)), "%.*s", (int)rig->got.len, rig->got.p);
}

static void expire(struct rig *rig)
{
    enum deadline_kind kind;
    rig->env.now = deadlines_next(&rig->env.deadlines);
    deadlines_due(&rig->env.deadlines, rig->env.now, &kind);
    obey(rig, conn_expire(&rig->conn, &rig->env, kind));
    pump(rig);
}

Test(conn_stream, an_echo)
{
    static const char lines[] = "one\ntwo\r\n\nthree\n";
    for (size_t piece = 1; piece < sizeof lines; piece++) {
        struct rig rig;
        open_talk(&rig);
        for (size_t at = 0; at < sizeof lines - 1; at += piece) {
            size_t left = sizeof lines - 1 - at;
            say_bytes(&rig, lines + at, left < piece ? left : piece);
        }
        expect_got(&rig, "one\ntwo\n\nthree\n");
        cr_expect_eq(rig.want, CONN_WANT_READ);
        cr_expect_eq(rig.row->requests, 0);
        shutdown(rig.client, SHUT_WR);
        pump(&rig);
        cr_expect_eq(talk.error, 0);
        cr_expect_eq(talk.closed, 1);
        close_talk(&rig);
    }
}

Test(conn_stream, the_server_speaks_first)
{
    struct rig rig;
    open_talk(&rig);
    talk.greets = true;
    step(&rig);
    client_receive(&rig, SIZE_MAX);
    expect_got(&rig, "hello\n");
    cr_expect_eq(talk.opened, 1);
    pump(&rig);
    cr_expect_eq(rig.env.woken_count, 0);
    close_talk(&rig);
    cr_expect_eq(talk.error, ESHUTDOWN);
}

Test(conn_stream, one_that_is_not_wanted)
{
    struct rig rig;
    open_talk(&rig);
    talk.refuses = talk.greets = true;
    step(&rig);
    cr_expect_not(rig.is_open);
    close_talk(&rig);
}

Test(conn_stream, a_client_that_says_nothing)
{
    struct rig rig;
    open_talk(&rig);
    step(&rig);
    cr_expect_eq(rig.conn.deadline.kind, DEADLINE_IDLE);
    rig.env.now += 10;
    say(&rig, "a\n");
    cr_expect_eq(rig.conn.deadline.at, rig.env.now + timeouts[DEADLINE_IDLE]);
    expire(&rig);
    cr_expect_not(rig.is_open);
    cr_expect_eq(talk.error, ETIMEDOUT);
    close_talk(&rig);
}

Test(conn_stream, a_client_that_does_not_read)
{
    struct rig rig;
    open_talk(&rig);
    talk.floods = true;
    client_send(&rig, "a\n", 2);
    while (is_due(&rig))
        step(&rig);
    cr_expect_eq(rig.want, CONN_WANT_WRITE);
    cr_expect_eq(rig.conn.deadline.kind, DEADLINE_SEND);
    int64_t at = rig.conn.deadline.at;
    rig.env.now += 10;
    while (drover_stream_send(talk.stream, "more", 4) == 0)
        ;
    cr_expect_eq(errno, EAGAIN);
    wake(&rig);
    step(&rig);
    cr_expect_eq(rig.conn.deadline.at, at, "nothing left, so the time runs");
    expire(&rig);
    cr_expect_not(rig.is_open);
    cr_expect_eq(talk.error, ETIMEDOUT);
    close_talk(&rig);
}

/* The application is told when all of it has left; the connection closes when the client has it. */
Test(conn_stream, an_end)
{
    struct rig rig;
    open_talk(&rig);
    say(&rig, "a\nend\nb\n");
    expect_got(&rig, "a\n");
    cr_expect(rig.is_ended);
    cr_expect_eq(rig.conn.state, CONN_LINGERING);
    cr_expect_eq(talk.closed, 1);
    cr_expect_eq(talk.error, 0);
    say(&rig, "c\n");
    say_goodbye(&rig);
    cr_expect_eq(talk.closed, 1);
    close_talk(&rig);
}

Test(conn_stream, a_worker_that_leaves)
{
    struct rig rig;
    open_talk(&rig);
    say(&rig, "a\n");
    conn_leave(&rig.conn);
    cr_expect_eq(talk.left, 1);
    pump(&rig);
    expect_got(&rig, "a\nbye\n");
    cr_expect(rig.is_ended);
    say_goodbye(&rig);
    cr_expect_eq(talk.error, 0, "the application has ended it");
    close_talk(&rig);
}
