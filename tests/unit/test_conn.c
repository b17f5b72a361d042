/* Conversations: keep-alive, pipelining, bodies. test_conn_end.c has how they end. */
#include "rig.h"

/* ---------------------------------------------------------------------- a whole conversation */

/* What there is: bodies of both kinds, an empty line between requests, answers without a body,
 * with a page, from a small file and from one that is sent by sendfile(2). */
static const char talk[] = GET(
    "/a") "HEAD /b HTTP/1.1\r\nHost: x\r\n\r\n"
          "POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
          "POST /d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
          "3\r\nabc\r\n1;x=y\r\n\n\r\n0\r\nt: u\r\n\r\n"
          "PUT /e HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
          "\r\n" GET("/f") "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n" GET("/none") GET("/file/26")
              GET("/file/40000") "POST /g HTTP/1.0\r\nConnection: keep-alive\r\n"
                                 "Content-Length: 3\r\n\r\nxyz" GET_LAST("/last");

static void check_talk(struct rig *rig)
{
    struct span all = got(rig);
    expect_answer(&all, 200, "GET/a");
    cr_expect_eq(take_answer(&all, true).status, 200);
    expect_answer(&all, 200, "POST/c");
    expect_answer(&all, 200, "POST/d");
    expect_answer(&all, 200, "PUT/e");
    expect_answer(&all, 200, "GET/f");
    expect_answer(&all, 204, "");
    expect_answer(&all, 404, NULL);
    expect_pattern(take_answer(&all, false).body, 26);
    expect_pattern(take_answer(&all, false).body, 40000);
    expect_answer(&all, 200, "POST/g");
    expect_answer(&all, 200, "GET/last");
    cr_expect_eq(all.n, 0, "%zu bytes more", all.n);
    say_goodbye(rig);
    cr_expect_eq(rig->row->requests, 12, "%llu", (unsigned long long)rig->row->requests);
    cr_expect_eq(rig->row->accepted, 1);
}

/* The answer's bytes to the whole conversation. */
static void talk_whole(struct buf *bytes)
{
    struct rig rig;
    open_rig(&rig);
    say(&rig, talk);
    check_talk(&rig);
    buf_add(bytes, rig.got.p, rig.got.len);
    close_rig(&rig);
}

static void expect_same(struct rig *rig, const struct buf *whole, const char *how, size_t n)
{
    cr_assert_eq(rig->got.len, whole->len, "%s %zu: %zu of %zu bytes", how, n, rig->got.len,
                 whole->len);
    cr_assert_eq(memcmp(rig->got.p, whole->p, whole->len), 0, "%s %zu", how, n);
    say_goodbye(rig);
}

Test(conn, cut_at_every_byte)
{
    struct buf whole = {0};
    int before = count_fds();
    talk_whole(&whole);
    for (size_t cut = 1; cut < sizeof talk - 1; cut++) {
        struct rig rig;
        open_rig(&rig);
        say_bytes(&rig, talk, cut);
        say_bytes(&rig, talk + cut, sizeof talk - 1 - cut);
        expect_same(&rig, &whole, "cut at", cut);
        close_rig(&rig);
    }
    buf_free(&whole);
    cr_expect_eq(count_fds(), before, "nothing stays open");
}

Test(conn, in_pieces_of_every_length)
{
    struct buf whole = {0};
    talk_whole(&whole);
    for (size_t step_bytes = 1; step_bytes < 64; step_bytes++) {
        struct rig rig;
        open_rig(&rig);
        for (size_t at = 0; at < sizeof talk - 1; at += step_bytes) {
            size_t left = sizeof talk - 1 - at;
            say_bytes(&rig, talk + at, left < step_bytes ? left : step_bytes);
        }
        expect_same(&rig, &whole, "by", step_bytes);
        close_rig(&rig);
    }
    buf_free(&whole);
}

/* A client that reads and writes when it likes, over a socket that takes little at once. */
static void talk_at_random(struct rig *rig, struct span bytes, unsigned *seed)
{
    int little = 1; /* the kernel makes it its least */
    setsockopt(rig->conn.fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    for (int i = 0; i < 1000000 && !rig->is_ended; i++) {
        size_t n = next_random(seed) % (next_random(seed) % 8 ? 100 : 5000) + 1;
        switch (next_random(seed) % 3) {
        case 0:
            n = client_send(rig, bytes.p, n < bytes.n ? n : bytes.n);
            bytes.p += n;
            bytes.n -= n;
            break;
        case 1: client_receive(rig, next_random(seed) % 3000 + 1); break;
        default:
            if (is_due(rig))
                step(rig);
        }
        rig->env.now++;
    }
}

Test(conn, a_client_that_reads_and_writes_when_it_likes)
{
    struct buf whole = {0};
    unsigned seed = 20240229;
    talk_whole(&whole);
    for (size_t i = 0; i < 200; i++) {
        struct rig rig;
        open_rig(&rig);
        talk_at_random(&rig, SPAN(talk), &seed);
        expect_same(&rig, &whole, "walk", i);
        close_rig(&rig);
    }
    buf_free(&whole);
}

/* Heads and bodies that are longer than what is read at once, and answers longer than a turn. */
static void write_long_talk(struct buf *bytes, unsigned *seed)
{
    for (int i = 0; i < 30; i++) {
        unsigned head = next_random(seed) % 9000, body = next_random(seed) % 9000;
        buf_printf(bytes, "POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\nA: %0*d\r\n\r\n",
                   i, body, (int)head, 0);
        for (unsigned k = 0; k < body; k++)
            buf_lit(bytes, "b");
        buf_printf(bytes, GET("/bytes/%u"), next_random(seed) % 20000);
    }
    buf_lit(bytes, GET_LAST("/last"));
}

Test(conn, long_requests_and_answers_in_random_pieces)
{
    struct buf bytes = {0};
    struct rig whole;
    unsigned seed = 7;
    write_long_talk(&bytes, &seed);
    open_rig(&whole);
    say_bytes(&whole, bytes.p, bytes.len);
    cr_assert(whole.is_ended);
    cr_expect_eq(whole.row->requests, 61);
    for (size_t i = 0; i < 20; i++) {
        struct rig rig;
        open_rig(&rig);
        talk_at_random(&rig, (struct span){.p = bytes.p, .n = bytes.len}, &seed);
        expect_same(&rig, &whole.got, "walk", i);
        close_rig(&rig);
    }
    buf_free(&bytes);
    close_rig(&whole);
}

/* -------------------------------------------------------------------------------- keep-alive */

Test(conn, a_kept_connection_owns_nothing_while_it_is_idle)
{
    struct rig rig;
    open_rig(&rig);
    cr_expect_null(rig.conn.work);
    say(&rig, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
    cr_expect_not_null(rig.conn.work);
    say(&rig, "bc" GET("/file/100000"));
    cr_expect_null(rig.conn.work);
    cr_expect_eq(rig.conn.state, CONN_RECEIVING);
    cr_expect_eq(rig.want, CONN_WANT_READ);
    cr_expect_eq(rig.row->connections, 1);
    cr_expect_eq(rig.row->requests, 2);
    say(&rig, GET("/again"));
    cr_expect_eq(rig.row->requests, 3);
    close_rig(&rig);
}

Test(conn, a_thousand_connections_one_after_another)
{
    struct rig rig;
    int before = count_fds();
    open_env(&rig);
    for (int i = 0; i < 1000; i++) {
        open_conn(&rig);
        say(&rig, GET_LAST("/a"));
        cr_assert(rig.is_ended && !rig.is_open);
        end_client(&rig);
    }
    cr_expect_eq(rig.row->accepted, 1000);
    cr_expect_eq(rig.row->requests, 1000);
    close_rig(&rig);
    cr_expect_eq(count_fds(), before);
}

/* --------------------------------------------------------------------------------- pipelining */

static void write_pipeline(struct buf *bytes, int count)
{
    for (int i = 0; i < count; i++)
        buf_printf(bytes, GET("/%d"), i);
}

static void check_pipeline(const struct rig *rig, int count)
{
    struct span all = got(rig);
    for (int i = 0; i < count; i++) {
        char body[32];
        snprintf(body, sizeof body, "GET/%d", i);
        expect_answer(&all, 200, body);
    }
    cr_expect_eq(all.n, 0);
}

Test(conn, a_thousand_pipelined_requests)
{
    struct rig rig;
    struct buf bytes = {0};
    open_rig(&rig);
    write_pipeline(&bytes, 1000);
    cr_assert_eq(client_send(&rig, bytes.p, bytes.len), bytes.len);
    for (uint64_t turn = 1; rig.row->requests < 1000; turn++) {
        cr_assert(is_due(&rig), "it waits, with %llu answers given",
                  (unsigned long long)rig.row->requests);
        step(&rig);
        cr_assert_leq(rig.row->requests, turn * PIPELINE_TURN_MAX, "others have their turn");
        client_receive(&rig, SIZE_MAX);
    }
    pump(&rig);
    check_pipeline(&rig, 1000);
    cr_expect_eq(rig.want, CONN_WANT_READ);
    cr_expect_null(rig.conn.work);
    buf_free(&bytes);
    close_rig(&rig);
}

Test(conn, more_than_one_buffer_of_pipelined_requests)
{
    struct rig rig;
    struct buf bytes = {0};
    open_rig(&rig);
    write_pipeline(&bytes, 20000);
    cr_assert_gt(bytes.len, 8 * READ_BUFFER_SIZE);
    say_bytes(&rig, bytes.p, bytes.len);
    check_pipeline(&rig, 20000);
    buf_free(&bytes);
    close_rig(&rig);
}

/* Answers are gathered up to a limit, one may go over it. */
Test(conn, gathered_answers_have_a_limit)
{
    struct rig rig;
    open_rig(&rig);
    for (int i = 0; i < 32; i++)
        cr_assert_gt(client_send(&rig, GET("/bytes/10000"), strlen(GET("/bytes/10000"))), 0);
    step(&rig);
    client_receive(&rig, SIZE_MAX);
    cr_expect_leq(rig.got.len, WRITE_GATHER_MAX + 10000 + 512);
    cr_expect_eq(rig.row->requests, WRITE_GATHER_MAX / 10000 + 1);
    cr_expect_eq(rig.want, CONN_WANT_WRITE);
    pump(&rig);
    cr_expect_eq(rig.row->requests, 32);
    struct span all = got(&rig);
    for (int i = 0; i < 32; i++)
        expect_pattern(take_answer(&all, false).body, 10000);
    close_rig(&rig);
}

/* ------------------------------------------------------------------------------------- bodies */

Test(conn, the_longest_body_is_read_and_dropped)
{
    struct rig rig;
    char head[128];
    open_rig(&rig);
    snprintf(head, sizeof head, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
             BODY_DISCARD_MAX);
    say(&rig, head);
    say_body(&rig, BODY_DISCARD_MAX - 1);
    cr_expect_eq(rig.got.len, 0, "no answer before the body is whole");
    say_body(&rig, 1);
    say(&rig, GET("/b"));
    struct span all = got(&rig);
    expect_answer(&all, 200, "POST/a");
    expect_answer(&all, 200, "GET/b");
    cr_expect(rig.is_open);
    close_rig(&rig);
}

Test(conn, the_longest_chunked_body_is_read_and_dropped)
{
    struct rig rig;
    char line[32];
    open_rig(&rig);
    say(&rig, "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    snprintf(line, sizeof line, "%x\r\n", BODY_DISCARD_MAX);
    say(&rig, line);
    say_body(&rig, BODY_DISCARD_MAX);
    say(&rig, "\r\n0\r\n\r\n" GET("/b"));
    struct span all = got(&rig);
    expect_answer(&all, 200, "POST/a");
    expect_answer(&all, 200, "GET/b");
    close_rig(&rig);
}

/* Nobody will read the body, so the client is told at once. It may send it all the same. */
Test(conn, expect_100_continue_gets_the_final_answer)
{
    static const char *const framings[] = {"Content-Length: 5", "Transfer-Encoding: chunked"};
    for (size_t i = 0; i < LENGTH(framings); i++) {
        struct rig rig;
        char head[128];
        open_rig(&rig);
        snprintf(head, sizeof head,
                 "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n%s\r\n\r\n", framings[i]);
        say(&rig, head);
        struct span all = got(&rig);
        struct reply answer = take_answer(&all, false);
        cr_expect_eq(answer.status, 200);
        cr_expect(span_eq(answer_field(&answer, "Connection"), SPAN("close")));
        cr_expect(rig.is_ended && rig.is_open, "it lingers");
        say(&rig, "hello" GET("/b"));
        cr_expect_eq(rig.row->requests, 1, "what follows is no request");
        end_client(&rig);
        pump(&rig);
        cr_expect_not(rig.is_open);
        close_rig(&rig);
    }
}

Test(conn, expect_100_continue_with_its_body_is_a_request_like_others)
{
    struct rig rig;
    open_rig(&rig);
    say(&rig, "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
              "hello" GET("/b"));
    struct span all = got(&rig);
    expect_answer(&all, 200, "POST/a");
    expect_answer(&all, 200, "GET/b");
    cr_expect(rig.is_open);
    close_rig(&rig);
}

#define EXPECT_5 "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
#define EXPECT_CHUNKS \
    "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"

static const struct {
    const char *name;
    const char *first, *second;
    bool is_told; /* to go on */
} expectations[] = {
    {"nothing has come", EXPECT_5, "hello", true},
    {"nothing of chunks has come", EXPECT_CHUNKS, "5\r\nhello\r\n0\r\n\r\n", true},
    {"a part has come", EXPECT_5 "h", "ello", false},
    {"a part of a chunk's size", EXPECT_CHUNKS "5", "\r\nhello\r\n0\r\n\r\n", false},
    {"all has come", EXPECT_5 "hello", "", false},
    {"not in 1.0",
     "POST /a HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n"
     "Content-Length: 5\r\n\r\n",
     "hello", false},
};

Test(conn, expect_100_continue_of_a_body_that_is_wanted)
{
    for (size_t i = 0; i < LENGTH(expectations); i++) {
        struct rig rig;
        open_rig(&rig);
        rig.app.when = DROVER_WITH_BODY;
        say(&rig, GET("/before"));
        say(&rig, expectations[i].first);
        struct span all = got(&rig);
        expect_answer(&all, 200, "GET/before");
        if (expectations[i].is_told)
            take_continue(&all);
        cr_expect_eq(all.n, *expectations[i].second ? 0 : all.n, "%s", expectations[i].name);
        size_t taken = rig.got.len - all.n;
        say(&rig, expectations[i].second);
        say(&rig, GET("/b"));
        all = (struct span){.p = rig.got.p + taken, .n = rig.got.len - taken};
        expect_answer(&all, 200, "POST/a");
        expect_answer(&all, 200, "GET/b");
        cr_expect_eq(all.n, 0, "%s", expectations[i].name);
        cr_expect(rig.is_open, "%s", expectations[i].name);
        close_rig(&rig);
    }
}
