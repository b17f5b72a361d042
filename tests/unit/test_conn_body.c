/* Bodies that an application wants: whole, or piece by piece. */
#include "rig.h"
#include "worker/work.h"

static struct {
    struct drover_response *response; /* deferred */
    struct buf received;
    size_t most;   /* bytes that are wanted; 0: all */
    bool defers;   /* the answer, at the end */
    bool is_ended; /* the last piece has come */
    int attached, released;
} upload;

static void release(void *state)
{
    cr_assert_eq(state, &upload);
    upload.released++;
    upload.response = NULL;
}

static void answer_received(struct drover_response *response)
{
    drover_response_body(response, upload.received.p, upload.received.len);
}

static int receive(void *state, struct drover_response *response, const char *bytes, size_t length)
{
    cr_assert_eq(state, &upload);
    cr_assert_not(upload.is_ended);
    buf_add(&upload.received, bytes, length);
    if (length > 0 && upload.most && upload.received.len > upload.most) {
        drover_response_status(response, 413);
        return -1;
    }
    if (length > 0)
        return 0;
    upload.is_ended = true;
    if (upload.defers)
        drover_response_defer(response);
    else
        answer_received(response);
    return 0;
}

/* "/upload" is received; the rest is as in rig.h. */
static void handle_upload(void *context, const struct drover_request *request,
                          struct drover_response *response)
{
    if (strcmp(drover_request_path(request).p, "/upload") != 0) {
        handle(context, request, response);
        return;
    }
    buf_clear(&upload.received);
    upload.is_ended = false;
    upload.response = response;
    upload.attached++;
    cr_assert_eq(drover_response_attach(response, &upload, release), 0);
    cr_assert_eq(drover_response_receive(response, receive, &upload), 0);
}

static void open_upload(struct rig *rig)
{
    buf_free(&upload.received);
    memset(&upload, 0, sizeof upload);
    open_rig(rig);
    rig->app.handle = handle_upload;
}

static void close_upload(struct rig *rig)
{
    close_rig(rig);
    cr_expect_eq(upload.released, upload.attached, "released as often as attached");
    buf_free(&upload.received);
}

/* ---------------------------------------------------------------------------- piece by piece */

#define UPLOAD_5      "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
#define UPLOAD_CHUNKS "POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

static const char uploads[] = GET("/a") UPLOAD_5
    "hello" UPLOAD_CHUNKS "1\r\na\r\n2;x\r\nbc\r\n0\r\nt: u\r\n\r\n" GET(
        "/b") "GET /upload HTTP/1.1\r\nHost: x\r\n\r\n" UPLOAD_CHUNKS "0\r\n\r\n" UPLOAD_5
              "olleh" GET_LAST("/c");

static void check_uploads(struct rig *rig)
{
    struct span all = got(rig);
    expect_answer(&all, 200, "GET/a");
    expect_answer(&all, 200, "hello");
    expect_answer(&all, 200, "abc");
    expect_answer(&all, 200, "GET/b");
    expect_answer(&all, 200, "");
    expect_answer(&all, 200, "");
    expect_answer(&all, 200, "olleh");
    expect_answer(&all, 200, "GET/c");
    cr_expect_eq(all.n, 0);
    cr_expect(rig->is_ended);
}

Test(conn_body, received_in_pieces_of_every_length)
{
    for (int defers = 0; defers <= 1; defers++)
        for (size_t piece = 1; piece < sizeof uploads; piece++) {
            struct rig rig;
            open_upload(&rig);
            upload.defers = defers;
            for (size_t at = 0; at < sizeof uploads - 1; at += piece) {
                size_t left = sizeof uploads - 1 - at;
                client_send(&rig, uploads + at, left < piece ? left : piece);
                pump(&rig);
                while (defers && upload.response && upload.is_ended) {
                    answer_received(upload.response);
                    drover_response_finish(upload.response);
                    pump(&rig);
                }
            }
            check_uploads(&rig);
            cr_expect_eq(upload.released, 5);
            close_upload(&rig);
        }
}

Test(conn_body, received_without_a_bound)
{
    struct rig rig;
    char head[128];
    open_upload(&rig);
    rig.env.exchanges.body_max = 10;
    snprintf(head, sizeof head, "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
             3 * BODY_DISCARD_MAX);
    say(&rig, head);
    say_body(&rig, 3 * BODY_DISCARD_MAX);
    struct span all = got(&rig);
    cr_expect_eq(take_answer(&all, false).body.n, 3 * BODY_DISCARD_MAX);
    cr_expect(rig.is_open && !rig.is_ended);
    close_upload(&rig);
}

/* The rest is dropped, if it is not too long for that. */
Test(conn_body, what_is_enough)
{
    static const struct {
        int length;
        bool is_kept;
    } lengths[] = {{100, true},
                   {BODY_DISCARD_MAX, true},
                   {BODY_DISCARD_MAX + 200, false},
                   {3 * BODY_DISCARD_MAX, false}};
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        struct rig rig;
        char head[128];
        open_upload(&rig);
        upload.most = 10;
        snprintf(head, sizeof head,
                 "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n0123456789!",
                 lengths[i].length);
        say(&rig, head);
        cr_expect_eq(rig.is_ended, !lengths[i].is_kept, "%d", lengths[i].length);
        say_body(&rig, (size_t)lengths[i].length - 11);
        cr_expect_eq(upload.received.len, 11);
        cr_expect_not(upload.is_ended);
        struct span all = got(&rig);
        struct reply answer = take_answer(&all, false);
        cr_expect_eq(answer.status, 413);
        cr_expect_eq(answer_field(&answer, "Connection").p == NULL, lengths[i].is_kept);
        cr_expect_eq(all.n, 0);
        if (lengths[i].is_kept)
            say(&rig, GET_LAST("/a"));
        if (rig.is_open)
            say_goodbye(&rig);
        close_upload(&rig);
    }
}

static void handle_defers_and_receives(void *context, const struct drover_request *request,
                                       struct drover_response *response)
{
    handle_upload(context, request, response);
    drover_response_defer(response);
}

/* Malformed behind what was received; with the answer deferred, or not. */
Test(conn_body, a_malformed_chunk)
{
    for (int i = 0; i < 4; i++) {
        struct rig rig;
        open_upload(&rig);
        bool defers = i % 2;
        if (defers)
            rig.app.handle = handle_defers_and_receives;
        if (i < 2) {
            say(&rig, UPLOAD_CHUNKS "1\r\na\r\nx");
        } else {
            say(&rig, UPLOAD_CHUNKS "1\r\na");
            say(&rig, "\r\nx");
        }
        struct span all = got(&rig);
        struct reply answer = take_answer(&all, false);
        cr_expect_eq(answer.status, 400);
        cr_expect(rig.is_ended);
        cr_expect_not(upload.is_ended);
        cr_expect_eq(upload.released, !defers);
        if (defers) {
            cr_expect_eq(drover_response_is_gone(upload.response), 1);
            drover_response_finish(upload.response);
            cr_expect_eq(upload.released, 1);
        }
        say_goodbye(&rig);
        close_upload(&rig);
    }
}

Test(conn_body, the_client_goes_within_it)
{
    for (int i = 0; i < 4; i++) {
        struct rig rig;
        open_upload(&rig);
        bool defers = i % 2;
        if (defers)
            rig.app.handle = handle_defers_and_receives;
        say(&rig, i < 2 ? UPLOAD_5 "ab" : UPLOAD_CHUNKS "2\r\na");
        cr_expect_gt(upload.received.len, 0);
        end_client(&rig);
        pump(&rig);
        cr_expect_not(rig.is_open);
        cr_expect_eq(upload.released, !defers);
        if (defers)
            drover_response_finish(upload.response);
        cr_expect_eq(upload.released, 1);
        close_upload(&rig);
    }
}

/* Finished before the body has come: the client, who may wait for it, is answered at once. */
Test(conn_body, finished_within_it)
{
    struct rig rig;
    open_upload(&rig);
    rig.app.handle = handle_defers_and_receives;
    say(&rig, UPLOAD_5 "ab");
    answer_received(upload.response);
    drover_response_finish(upload.response);
    pump(&rig);
    struct span all = got(&rig);
    expect_answer(&all, 200, "ab");
    cr_expect_eq(upload.released, 1);
    size_t length = rig.got.len;
    say(&rig, "cde" GET("/b")); /* is dropped */
    cr_expect_eq(rig.got.len, length);
    cr_expect_eq(all.n, 0);
    cr_expect_eq(upload.received.len, 2);
    say_goodbye(&rig);
    close_upload(&rig);
}

Test(conn_body, a_body_that_does_not_come)
{
    for (int i = 0; i < 2; i++) {
        struct rig rig;
        enum deadline_kind kind;
        open_upload(&rig);
        if (i)
            rig.app.handle = handle_defers_and_receives;
        say(&rig, UPLOAD_5 "ab");
        cr_expect_eq(rig.conn.deadline.kind, DEADLINE_BODY);
        rig.env.now = deadlines_next(&rig.env.deadlines);
        deadlines_due(&rig.env.deadlines, rig.env.now, &kind);
        obey(&rig, conn_expire(&rig.conn, &rig.env, kind));
        pump(&rig);
        struct span all = got(&rig);
        cr_expect_eq(take_answer(&all, false).status, 408);
        cr_expect_eq(upload.released, !i);
        if (i)
            drover_response_finish(upload.response);
        cr_expect_eq(upload.released, 1);
        say_goodbye(&rig);
        close_upload(&rig);
    }
}

Test(conn_body, received_on_100_continue)
{
    struct rig rig;
    open_upload(&rig);
    say(&rig, GET("/a") "POST /upload HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                        "Content-Length: 5\r\n\r\n");
    struct span all = got(&rig);
    expect_answer(&all, 200, "GET/a");
    take_continue(&all);
    cr_expect_eq(all.n, 0);
    size_t taken = rig.got.len;
    say(&rig, "hello");
    all = (struct span){.p = rig.got.p + taken, .n = rig.got.len - taken};
    expect_answer(&all, 200, "hello");
    close_upload(&rig);
}

/* ----------------------------------------------------------------------------------- whole */

static void handle_whole(void *context, const struct drover_request *request,
                         struct drover_response *response)
{
    struct drover_span body = drover_request_body(request);
    (void)context;
    drover_response_body(response, body.p, body.n);
}

static const struct {
    const char *name;
    const char *fields;
    size_t length; /* of a chunk, or of the whole */
    int status;
} wholes[] = {
    {"none", "", 0, 200},
    {"as long as allowed", "Content-Length: 70000\r\n", 70000, 200},
    {"one more", "Content-Length: 70001\r\n", 70001, 413},
    {"one more, which is waited for", "Content-Length: 70001\r\nExpect: 100-continue\r\n", 0, 413},
    {"as long as can be said", "Content-Length: 18446744073709551615\r\n", 0, 413},
    {"a chunk as long as allowed", "Transfer-Encoding: chunked\r\n", 70000, 200},
    {"a chunk of one more", "Transfer-Encoding: chunked\r\n", 70001, 413},
};

Test(conn_body, whole_ones_and_their_bound)
{
    for (size_t i = 0; i < LENGTH(wholes); i++)
        for (size_t piece = 997; piece < 200000; piece *= 14) {
            struct rig rig;
            struct buf bytes = {0};
            bool is_chunked = strstr(wholes[i].fields, "chunked") != NULL;
            open_rig(&rig);
            rig.app.handle = handle_whole;
            rig.app.when = DROVER_WITH_BODY;
            rig.env.exchanges.body_max = 70000;
            buf_printf(&bytes, "POST / HTTP/1.1\r\nHost: x\r\n%s\r\n", wholes[i].fields);
            if (is_chunked)
                buf_printf(&bytes, "%zx\r\n", wholes[i].length);
            for (size_t k = 0; k < wholes[i].length; k++)
                buf_add(&bytes, &(char){byte_at(k)}, 1);
            if (is_chunked)
                buf_lit(&bytes, "\r\n0\r\n\r\n");
            for (size_t at = 0; at < bytes.len; at += piece)
                say_bytes(&rig, bytes.p + at, bytes.len - at < piece ? bytes.len - at : piece);
            struct span all = got(&rig);
            struct reply answer = take_answer(&all, false);
            cr_expect_eq(answer.status, wholes[i].status, "%s: %d", wholes[i].name, answer.status);
            if (answer.status == 200)
                expect_pattern(answer.body, wholes[i].length);
            else
                say_goodbye(&rig);
            cr_expect_eq(rig.is_open, answer.status == 200, "%s", wholes[i].name);
            cr_expect_eq(all.n, 0, "%s", wholes[i].name);
            buf_free(&bytes);
            close_rig(&rig);
        }
}

/* -------------------------------------------------------------------------- those that dribble */

/* Its time starts anew only when so much has come. */
Test(conn_body, a_dribbled_body)
{
    struct rig rig;
    open_upload(&rig);
    say(&rig, "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    int64_t at = rig.conn.deadline.at;
    cr_expect_eq(rig.conn.deadline.kind, DEADLINE_BODY);
    for (int i = 0; i < PROGRESS_BYTES - 1; i++) {
        rig.env.now += i % 16 == 0;
        say(&rig, "x");
        cr_assert_eq(rig.conn.deadline.at, at, "byte %d", i);
    }
    say(&rig, "x");
    at = rig.env.now + timeouts[DEADLINE_BODY];
    cr_expect_eq(rig.conn.deadline.at, at, "that was enough");
    rig.env.now += 5;
    say(&rig, "x");
    cr_expect_eq(rig.conn.deadline.at, at, "and it counts anew");
    rig.env.now += 5;
    say_body(&rig, PROGRESS_BYTES);
    cr_expect_eq(rig.conn.deadline.at, at + 10);
    close_upload(&rig);
}

/* The answer is in `out`, and leaves in pieces that are known. */
Test(conn_body, a_dribbled_reading)
{
    struct rig rig;
    int little = 1;
    open_rig(&rig);
    setsockopt(rig.conn.fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    client_send(&rig, GET("/bytes/300000"), strlen(GET("/bytes/300000")));
    while (is_due(&rig))
        step(&rig);
    cr_assert_eq(rig.conn.deadline.kind, DEADLINE_SEND);
    int64_t at = rig.conn.deadline.at;
    size_t taken = rig.conn.work->outlet.at, seen = taken;
    int renewed = 0;
    while (seen < 290000) {
        client_receive(&rig, 100);
        rig.env.now++;
        if (!is_due(&rig))
            continue;
        step(&rig);
        if (rig.conn.state != CONN_SENDING)
            break;
        seen = rig.conn.work->outlet.at;
        bool is_new = rig.conn.deadline.at != at;
        cr_assert_eq(is_new, seen - taken >= PROGRESS_BYTES, "%zu bytes", seen - taken);
        if (is_new) {
            renewed++;
            taken = seen;
            at = rig.conn.deadline.at;
            cr_assert_eq(at, rig.env.now + timeouts[DEADLINE_SEND]);
        }
    }
    cr_expect_gt(renewed, 3);
    close_rig(&rig);
}
