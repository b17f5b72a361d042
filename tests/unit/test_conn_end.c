/* How connections end: refusals, deadlines, clients that are slow or gone. */
#include <signal.h>

#include "rig.h"

/* ----------------------------------------------------------------------------------- refusals */

#define K8  "01234567"
#define K64 K8 K8 K8 K8 K8 K8 K8 K8

static const struct {
    const char *name;
    const char *before;  /* sent first */
    const char *filling; /* then this */
    int times;           /* so often */
    const char *after;   /* and this */
    unsigned good;       /* answers before the refusal */
    int status;
} refusals[] = {
    {"no request", "hello\r\n\r\n", "", 0, "", 0, 400},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", "", 0, "", 0, 400},
    {"TLS", "\x16\x03\x01\x02\x01\x01", "", 0, "", 0, 400},
    {"another version", "GET / HTTP/2.0\r\n\r\n", "", 0, "", 0, 505},
    {"another coding", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "",
     0, "", 0, 501},
    {"both lengths",
     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "", 0,
     "", 0, 400},
    {"a long target", "GET /", K64, HTTP_REQUEST_LINE_MAX / 64, " HTTP/1.1\r\n\r\n", 0, 414},
    {"a target without end", "GET /", K64, 2 * HTTP_HEAD_MAX / 64, "", 0, 414},
    {"a large head", "GET / HTTP/1.1\r\nHost: x\r\n", "a: " K64 "\r\n", HTTP_HEAD_MAX / 69 + 1,
     "\r\n", 0, 431},
    {"a field without end", "GET / HTTP/1.1\r\nHost: x\r\na: ", K64, HTTP_HEAD_MAX / 32, "", 0,
     431},
    {"too many fields", "GET / HTTP/1.1\r\nHost: x\r\n", "a:\r\n", HTTP_FIELDS_MAX, "\r\n", 0, 431},
    {"a long body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n", "", 0, "", 0,
     413},
    {"a long body that is not sent",
     "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n", "", 0,
     "", 0, 413},
    {"a long body in chunks",
     "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n110000\r\n", K64,
     0x110000 / 64, "", 0, 413},
    {"no chunk", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "", 0, "",
     0, 400},
    {"no chunk behind others", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
     "1\r\na\r\n", 5, "1\r\nab", 0, 400},
    {"after good ones", GET("/a") GET("/b"), "", 0, " GET / HTTP/1.1\r\n\r\n", 2, 400},
    {"a tunnel, and what was meant for its end", "CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n",
     GET("/a"), 2, "", 0, 501},
    {"after a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", "", 0, "y z\r\n",
     1, 400},
};

/* The client sees the whole answer and the end, whatever it goes on to send. */
static void expect_refusal(struct rig *rig, const char *name, unsigned good, int status)
{
    struct span all = got(rig);
    uint64_t requests = rig->row->requests;
    for (unsigned i = 0; i < good; i++)
        cr_expect_eq(take_answer(&all, false).status, 200, "%s", name);
    struct reply answer = take_answer(&all, false);
    cr_expect_eq(answer.status, status, "%s: %d", name, answer.status);
    cr_expect(span_eq(answer_field(&answer, "Connection"), SPAN("close")), "%s", name);
    cr_expect_eq(all.n, 0, "%s: the last answer", name);
    cr_expect(rig->is_ended, "%s: the end", name);
    cr_assert(rig->is_open, "%s: lingers", name);
    cr_expect_eq(rig->conn.state, CONN_LINGERING, "%s", name);
    cr_expect_eq(rig->want, CONN_WANT_READ, "%s", name);
    cr_expect_eq(rig->conn.deadline.kind, DEADLINE_LINGER, "%s", name);
    say(rig, GET("/more") GET("/and/more"));
    cr_expect(rig->is_open, "%s: lingers on", name);
    cr_expect_eq(rig->row->requests, requests, "%s: more is not answered", name);
    end_client(rig);
    pump(rig);
    cr_expect_not(rig->is_open, "%s: the client is done", name);
}

Test(conn_end, refusals_linger)
{
    for (size_t i = 0; i < LENGTH(refusals); i++) {
        struct rig rig;
        struct buf bytes = {0};
        buf_str(&bytes, refusals[i].before);
        for (int k = 0; k < refusals[i].times; k++)
            buf_str(&bytes, refusals[i].filling);
        buf_str(&bytes, refusals[i].after);
        for (size_t piece = 1; piece <= bytes.len; piece = piece * 7 + 1) {
            open_rig(&rig);
            for (size_t at = 0; at < bytes.len && rig.is_open; at += piece)
                say_bytes(&rig, bytes.p + at, piece < bytes.len - at ? piece : bytes.len - at);
            cr_expect_eq(rig.row->requests, refusals[i].good + 1, "%s", refusals[i].name);
            expect_refusal(&rig, refusals[i].name, refusals[i].good, refusals[i].status);
            close_rig(&rig);
            if (bytes.len > 100000 && piece == 1)
                piece = 1000; /* byte by byte is enough once */
        }
        buf_free(&bytes);
    }
}

/* The page names the client that it is for. */
static void write_client(void *context, int status, struct drover_response *response)
{
    char host[DROVER_HOST_SIZE] = "nobody";
    (void)context, (void)status;
    drover_request_client(drover_response_request(response), host, NULL);
    cr_expect_eq(drover_response_is_gone(response), 0);
    drover_response_body(response, host, strlen(host));
}

Test(conn_end, a_refusal_is_for_a_client_that_is_there)
{
    static const char *const bad[] = {"bad\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\n"
                                                     "Transfer-Encoding: chunked\r\n\r\n-"};
    for (size_t i = 0; i < LENGTH(bad); i++) {
        struct rig rig;
        open_rig(&rig);
        rig.app.page = write_client;
        say(&rig, bad[i]);
        struct span all = got(&rig);
        expect_answer(&all, 400, "unix:");
        say_goodbye(&rig);
        close_rig(&rig);
    }
}

Test(conn_end, lingering_has_a_limit)
{
    struct rig rig;
    open_rig(&rig);
    say(&rig, "bad\r\n");
    say_body(&rig, LINGER_BYTES_MAX);
    cr_expect(rig.is_open);
    say_body(&rig, 1);
    cr_expect_not(rig.is_open);
    close_rig(&rig);
}

/* A client that goes on to send, and fast, has the time to. */
Test(conn_end, lingering_starts_anew_with_each_megabyte)
{
    struct rig rig;
    open_rig(&rig);
    say(&rig, "bad\r\n");
    int64_t ends = rig.conn.deadline.at;
    rig.env.now += 100;
    say_body(&rig, LINGER_TURN_MAX - 1);
    cr_expect_eq(rig.conn.deadline.at, ends);
    say_body(&rig, 1);
    cr_expect_eq(rig.conn.deadline.at, ends + 100);
    say_goodbye(&rig);
    close_rig(&rig);
}

/* A reset, for what the client may still send, would take back what it has not read yet. */
static const struct {
    const char *name;
    const char *bytes;
    bool lingers;
} lasts[] = {
    {"a small one", GET_LAST("/a"), false},
    {"one for sendfile", GET_LAST("/file/40000"), true},
    {"a large file", GET_LAST("/file/8000000"), true},
    {"much", GET_LAST("/bytes/1000000"), true},
    {"a small one behind a large one", GET("/file/8000000") GET_LAST("/a"), false},
};

Test(conn_end, a_last_answer_that_did_not_leave_at_once_is_waited_for)
{
    for (size_t i = 0; i < LENGTH(lasts); i++) {
        struct rig rig;
        open_rig(&rig);
        say(&rig, lasts[i].bytes);
        cr_expect(rig.is_ended, "%s", lasts[i].name);
        cr_expect_eq(rig.is_open, lasts[i].lingers, "%s", lasts[i].name);
        if (rig.is_open)
            say_goodbye(&rig);
        close_rig(&rig);
    }
}

/* The last answer of a connection on which more had been sent. */
Test(conn_end, requests_behind_the_last_one_are_dropped_in_a_lingering_close)
{
    struct rig rig;
    open_rig(&rig);
    say(&rig, GET_LAST("/a") GET("/b"));
    struct span all = got(&rig);
    expect_answer(&all, 200, "GET/a");
    cr_expect_eq(all.n, 0);
    cr_expect(rig.is_ended && rig.is_open);
    end_client(&rig);
    pump(&rig);
    cr_expect_not(rig.is_open);
    close_rig(&rig);
}

Test(conn_end, a_worker_that_leaves_ends_each_connection_with_its_answer)
{
    struct rig rig;
    open_rig(&rig);
    say(&rig, GET("/a"));
    rig.env.leaving = true;
    say(&rig, GET("/b"));
    struct span all = got(&rig);
    struct reply answer = take_answer(&all, false);
    cr_expect_null(answer_field(&answer, "Connection").p);
    answer = take_answer(&all, false);
    cr_expect(span_eq(answer_field(&answer, "Connection"), SPAN("close")));
    cr_expect(rig.is_ended && !rig.is_open);
    close_rig(&rig);
}

Test(conn_end, a_worker_with_heirs_ends_none)
{
    struct rig rig;
    open_rig(&rig);
    rig.env.leaving = rig.env.has_heirs = true;
    say(&rig, GET("/b"));
    struct span all = got(&rig);
    struct reply answer = take_answer(&all, false);
    cr_expect_null(answer_field(&answer, "Connection").p);
    cr_expect(rig.is_open);
    close_rig(&rig);
}

/* ---------------------------------------------------------------------------------- deadlines */

static const struct {
    const char *name;
    const char *bytes;
    enum deadline_kind kind;
    int expired; /* the status that the client then gets; 0: the end alone */
} waits[] = {
    {"nothing has come", "", DEADLINE_HEADER, 0},
    {"a part of a head", "GET / HT", DEADLINE_HEADER, 408},
    {"one byte", "G", DEADLINE_HEADER, 408},
    {"idle", GET("/a"), DEADLINE_IDLE, 0},
    {"a part of the next head", GET("/a") "GET", DEADLINE_HEADER, 408},
    {"a part of a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab", DEADLINE_BODY,
     408},
    {"nothing of a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", DEADLINE_BODY,
     408},
    {"a part of chunks",
     "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", DEADLINE_BODY,
     408},
    {"a part of the next body",
     GET("/a") "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab", DEADLINE_BODY, 408},
    {"lingering", "bad\r\n", DEADLINE_LINGER, 0},
};

static void expire(struct rig *rig)
{
    enum deadline_kind kind;
    rig->env.now = deadlines_next(&rig->env.deadlines);
    struct deadline *due = deadlines_due(&rig->env.deadlines, rig->env.now, &kind);
    cr_assert_eq(due, &rig->conn.deadline);
    obey(rig, conn_expire(&rig->conn, &rig->env, kind));
    pump(rig);
}

Test(conn_end, what_it_waits_for_and_what_becomes_of_it)
{
    for (size_t i = 0; i < LENGTH(waits); i++) {
        struct rig rig;
        open_rig(&rig);
        say(&rig, waits[i].bytes);
        int64_t begun = rig.env.now;
        cr_assert_eq(rig.conn.deadline.kind, waits[i].kind, "%s: %d", waits[i].name,
                     rig.conn.deadline.kind);
        cr_expect_eq(rig.conn.deadline.at, begun + timeouts[waits[i].kind], "%s", waits[i].name);
        buf_clear(&rig.got);
        rig.is_ended = false;
        expire(&rig);
        if (waits[i].expired)
            expect_refusal(&rig, waits[i].name, 0, waits[i].expired);
        else
            cr_expect(!rig.is_open && rig.got.len == 0, "%s", waits[i].name);
        close_rig(&rig);
    }
}

/* Its client is a proxy, which may not even speak HTTP. */
Test(conn_end, a_part_of_a_proxy_header_is_not_answered)
{
    struct rig rig;
    open_rig(&rig);
    rig.conn.state = CONN_GREETING;
    say(&rig, "PROXY TCP4 192.0.2.1");
    cr_assert_eq(rig.conn.deadline.kind, DEADLINE_HEADER);
    expire(&rig);
    cr_expect(!rig.is_open && rig.is_ended);
    cr_expect_eq(rig.got.len, 0, "%.*s", (int)rig.got.len, rig.got.p);
    close_rig(&rig);
}

/* Sent with 5 ms between. */
static const struct {
    const char *name;
    const char *first, *second;
    enum deadline_kind kind;
    int64_t begun; /* so long after the first bytes its time began */
} times[] = {
    {"a head in parts", "GET / HT", "TP/1.1\r\nHo", DEADLINE_HEADER, 0},
    {"a body in parts", POST_PART, "cd", DEADLINE_BODY, 0},
    {"a head after an answer", GET("/a"), "GET", DEADLINE_HEADER, 5},
    {"idle again", GET("/a"), GET("/b"), DEADLINE_IDLE, 5},
    {"a body after its head", "POST / HTTP", "/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
     DEADLINE_BODY, 5},
    {"a head behind a body", POST_PART, "cdeGET", DEADLINE_HEADER, 5},
    {"a head behind a head", "GET / HT", "TP/1.1\r\nHost: x\r\n\r\nGET", DEADLINE_HEADER, 5},
    {"a body behind a body", POST_PART, "cde" POST_PART, DEADLINE_BODY, 5},
};

Test(conn_end, each_request_has_its_own_time)
{
    for (size_t i = 0; i < LENGTH(times); i++) {
        struct rig rig;
        open_rig(&rig);
        int64_t begun = rig.env.now + times[i].begun;
        say(&rig, times[i].first);
        rig.env.now += 5;
        say(&rig, times[i].second);
        cr_expect_eq(rig.conn.deadline.kind, times[i].kind, "%s: %d", times[i].name,
                     rig.conn.deadline.kind);
        cr_expect_eq(rig.conn.deadline.at, begun + timeouts[times[i].kind], "%s: %lld too early",
                     times[i].name,
                     (long long)(begun + timeouts[times[i].kind] - (int64_t)rig.conn.deadline.at));
        close_rig(&rig);
    }
}

/* -------------------------------------------------------------------- a client that is slow */

static const char *const large[] = {"/file/8000000", "/bytes/1000000"};

/* Asks, and lets the connection work as far as it gets while the client reads nothing. */
static void ask_and_stall(struct rig *rig, const char *path)
{
    char request[128];
    int n = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n" GET("/next"),
                     path);
    cr_assert_eq(client_send(rig, request, (size_t)n), (size_t)n);
    while (is_due(rig))
        step(rig);
    cr_assert(rig->is_open);
    cr_assert_eq(rig->want, CONN_WANT_WRITE);
    cr_assert_eq(rig->conn.deadline.kind, DEADLINE_SEND);
}

Test(conn_end, a_client_that_does_not_read_is_waited_for)
{
    for (size_t i = 0; i < LENGTH(large); i++) {
        struct rig rig;
        open_rig(&rig);
        ask_and_stall(&rig, large[i]);
        int64_t at = rig.conn.deadline.at;
        rig.env.now += 7;
        step(&rig);
        cr_expect_eq(rig.want, CONN_WANT_WRITE);
        cr_expect_eq(rig.conn.deadline.at, at, "%s: nothing left, so the time runs", large[i]);
        while (!is_due(&rig))
            client_receive(&rig, 4096);
        step(&rig);
        cr_expect_eq(rig.conn.deadline.at, at + 7, "%s: something left", large[i]);
        pump(&rig);
        struct span all = got(&rig);
        expect_pattern(take_answer(&all, false).body,
                       strtoul(strrchr(large[i], '/') + 1, NULL, 10));
        expect_answer(&all, 200, "GET/next");
        cr_expect_eq(rig.conn.deadline.kind, DEADLINE_IDLE);
        close_rig(&rig);
    }
}

Test(conn_end, a_client_that_never_reads_is_given_up)
{
    for (size_t i = 0; i < LENGTH(large); i++) {
        struct rig rig;
        open_rig(&rig);
        ask_and_stall(&rig, large[i]);
        expire(&rig);
        cr_expect_not(rig.is_open, "%s", large[i]);
        close_rig(&rig);
    }
}

/* No request is read while an answer waits: the client's own socket fills, and it must wait. */
Test(conn_end, no_more_is_read_than_is_answered)
{
    struct rig rig;
    open_rig(&rig);
    ask_and_stall(&rig, "/file/8000000");
    uint64_t requests = rig.row->requests;
    for (int i = 0; i < 100; i++) {
        client_send(&rig, GET("/flood"), strlen(GET("/flood")));
        step(&rig);
    }
    cr_expect_eq(rig.row->requests, requests);
    close_rig(&rig);
}

/* ------------------------------------------------------------------- a client that is gone */

/* Sends, reads nothing, and closes; or says only that it will send no more. */
static const struct {
    const char *name;
    const char *bytes;
    bool half;         /* shutdown(2), and then it reads */
    unsigned answered; /* requests */
} ends[] = {
    {"at once", "", false, 0},
    {"in a head", "GET / HTTP/1.1\r\nHo", false, 0},
    {"in a body", POST_PART, false, 0},
    {"after a request", GET("/a"), false, 1},
    {"after a request for a large file", GET("/file/8000000"), false, 1},
    {"after a request for much", GET("/bytes/1000000"), false, 1},
    {"after a bad request", "bad\r\n", false, 1},
    {"half, at once", "", true, 0},
    {"half, in a head", "GET / HTTP/1.1\r\nHo", true, 0},
    {"half, in a body", POST_PART, true, 0},
    {"half, after requests", GET("/a") GET("/file/8000000") GET("/b"), true, 3},
    {"half, after the last request", GET_LAST("/a"), true, 1},
    {"half, after a bad request", "bad\r\n", true, 1},
};

Test(conn_end, clients_that_are_gone)
{
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE); /* as in every worker: sendfile(2) raises it */
    sigprocmask(SIG_BLOCK, &pipe_only, NULL);
    for (size_t i = 0; i < LENGTH(ends); i++) {
        struct rig rig;
        int before = count_fds();
        open_rig(&rig);
        client_send(&rig, ends[i].bytes, strlen(ends[i].bytes));
        if (ends[i].half)
            shutdown(rig.client, SHUT_WR);
        else
            end_client(&rig);
        pump(&rig);
        cr_expect_not(rig.is_open, "%s", ends[i].name);
        cr_expect_eq(rig.row->requests, ends[i].answered, "%s", ends[i].name);
        if (ends[i].half) {
            struct span all = got(&rig);
            for (unsigned k = 0; k < ends[i].answered; k++)
                take_answer(&all, false);
            cr_expect_eq(all.n, 0, "%s: %zu bytes more", ends[i].name, all.n);
        }
        close_rig(&rig);
        cr_expect_eq(count_fds(), before, "%s: a file stays open", ends[i].name);
    }
}

Test(conn_end, a_client_that_goes_while_it_is_sent_to)
{
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe_only, NULL);
    for (size_t i = 0; i < LENGTH(large); i++) {
        struct rig rig;
        open_rig(&rig);
        ask_and_stall(&rig, large[i]);
        end_client(&rig);
        pump(&rig);
        cr_expect_not(rig.is_open);
        close_rig(&rig);
    }
}

/* The sanitizer sees what it does not give back. */
Test(conn_end, a_close_in_any_state_gives_everything_back)
{
    static const char *const states[] = {"",
                                         "GET / HT",
                                         POST_PART,
                                         GET("/a") "GET",
                                         "bad\r\n",
                                         GET("/file/8000000"),
                                         GET("/bytes/1000000") GET("/b")};
    for (size_t i = 0; i < LENGTH(states); i++) {
        struct rig rig;
        int before = count_fds();
        open_rig(&rig);
        client_send(&rig, states[i], strlen(states[i]));
        while (is_due(&rig))
            step(&rig);
        end_conn(&rig);
        cr_expect_eq(rig.conn.state, CONN_CLOSED);
        cr_expect_null(rig.conn.work);
        close_rig(&rig);
        cr_expect_eq(count_fds(), before, "state %zu: a file stays open", i);
    }
}

/* It was shorter than it said, behind bytes that have left: there is no way to say so. */
static void send_too_little(void *context, const struct drover_request *request,
                            struct drover_response *response)
{
    (void)context;
    (void)request;
    drover_response_file(response, make_file(40000), 50000);
}

Test(conn_end, a_file_that_has_become_shorter_ends_the_connection)
{
    struct rig rig;
    open_rig(&rig);
    rig.app.handle = send_too_little;
    say(&rig, GET("/a") GET("/b"));
    cr_expect(rig.is_ended && !rig.is_open);
    cr_expect_lt(rig.got.len, 50000);
    cr_expect_eq(rig.row->requests, 1);
    close_rig(&rig);
}

Test(conn_end, a_closed_connection_wants_nothing)
{
    struct rig rig;
    struct conn conn = {0};
    open_env(&rig);
    cr_expect_eq(conn_step(&conn, &rig.env), CONN_WANT_CLOSE);
    close_rig(&rig);
}
