#include "worker/serve.h"

#include "rig.h"
#include "worker/work.h"

/* Requests that come whole, and what becomes of them; conversations are in test_conn*.c. */

static int asked;

static void handle_some(void *context, const struct drover_request *request,
                        struct drover_response *response)
{
    static const struct drover_protocol protocol = {.framing = DROVER_RAW};
    const char *path = drover_request_path(request).p;
    asked++;
    if (strcmp(path, "/later") == 0)
        drover_response_defer(response);
    else if (strcmp(path, "/upgrade") == 0)
        cr_assert_eq(drover_response_upgrade(response, "x", &protocol, NULL), 0);
    else
        handle(context, request, response);
}

#define UPGRADE "GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct {
    const char *name;
    struct span input;
    enum served how;
    size_t left;  /* bytes that are not taken */
    int status;   /* of the answer; 0: none yet */
    bool closing; /* it is the last */
    bool linger;
    bool keeps; /* the exchange becomes the connection's */
} rows[] = {
    {"a request", BYTES(GET("/a")), SERVED, 0, 200, false, false, false},
    {"two", BYTES(GET("/a") GET("/b")), SERVED, sizeof GET("/b") - 1, 200, false, false, false},
    {"half a head", BYTES("GET / HT"), STARVED, 8, 0, false, false, false},
    {"the last", BYTES(GET_LAST("/a") "x"), SERVED, 1, 200, true, false, false},
    {"half a body", BYTES(POST_PART), STARVED, 0, 0, false, false, true},
    {"a body", BYTES(POST_PART "cdeG"), SERVED, 1, 200, false, false, false},
    {"a long body", BYTES("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\na"), SERVED,
     1, 413, true, true, false},
    {"no request", BYTES("bad\r\n"), SERVED, 5, 400, true, true, false},
    {"no chunk", BYTES("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"),
     SERVED, 2, 400, true, true, false},
    {"a deferred one", BYTES(GET("/later") "G"), HELD, 1, 0, false, false, true},
    {"an upgrade", BYTES(UPGRADE "bytes"), UPGRADED, 0, 0, false, false, false},
};

static enum served serve_one(enum served (*serve)(struct service *service), struct rig *rig,
                             struct span *in, struct payload **payload)
{
    struct service service = {.conn = &rig->conn, .env = &rig->env, .in = *in};
    enum served how = serve(&service);
    *in = service.in;
    *payload = service.payload;
    return how;
}

Test(serve, one_request)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct rig rig;
        struct payload *payload = NULL;
        struct span in = rows[i].input;
        open_rig(&rig);
        rig.app.handle = handle_some;
        enum served how = serve_one(serve_next, &rig, &in, &payload);
        cr_expect_eq(how, rows[i].how, "%s: %d", rows[i].name, how);
        if (rows[i].status != 400)
            cr_expect_eq(in.n, rows[i].left, "%s: %zu", rows[i].name, in.n);
        cr_expect_eq(rig.conn.closing, rows[i].closing, "%s", rows[i].name);
        cr_expect_eq(rig.conn.linger, rows[i].linger, "%s", rows[i].name);
        cr_expect_eq(rig.conn.work && rig.conn.work->exchange, rows[i].keeps, "%s", rows[i].name);
        cr_expect_null(payload);
        struct span out = {.p = rig.env.out.p, .n = rig.env.out.len};
        if (rows[i].status)
            cr_expect_eq(take_answer(&out, false).status, rows[i].status, "%s", rows[i].name);
        cr_expect_eq(out.n, 0, "%s: no more than that", rows[i].name);
        cr_expect_eq(rig.conn.state, how == UPGRADED ? CONN_STREAMING : CONN_FRESH);
        close_rig(&rig);
    }
}

Test(serve, a_file_comes_behind)
{
    struct rig rig;
    struct payload *payload = NULL;
    struct span in = SPAN(GET("/file/100000") GET("/b"));
    open_rig(&rig);
    cr_expect_eq(serve_one(serve_next, &rig, &in, &payload), SERVED);
    cr_assert_not_null(payload);
    cr_expect_eq(in.n, sizeof GET("/b") - 1);
    payload_free(payload);
    close_rig(&rig);
}

Test(serve, a_body_in_pieces_and_a_late_answer)
{
    struct rig rig;
    struct payload *payload = NULL;
    struct span in = SPAN("POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
    open_rig(&rig);
    rig.app.handle = handle_some;
    rig.app.when = DROVER_WITH_BODY;
    asked = 0;
    cr_expect_eq(serve_one(serve_next, &rig, &in, &payload), STARVED);
    cr_expect(rig.conn.work->in_body);
    in = SPAN("b");
    cr_expect_eq(serve_one(serve_next, &rig, &in, &payload), STARVED);
    cr_expect_eq(asked, 0);
    in = SPAN("cGET");
    cr_expect_eq(serve_one(serve_next, &rig, &in, &payload), HELD);
    cr_expect_eq(asked, 1);
    cr_expect_not(rig.conn.work->in_body);
    cr_expect_eq(in.n, 3);
    cr_expect_eq(rig.env.out.len, 0);
    drover_response_finish(&rig.conn.work->exchange->response);
    cr_expect_eq(serve_one(serve_late, &rig, &in, &payload), SERVED);
    cr_expect_eq(in.n, 3);
    cr_expect_null(rig.conn.work->exchange);
    cr_expect_eq(rig.row->requests, 1);
    cr_expect_eq(rig.conn.served, 1);
    close_rig(&rig);
}

/* The worker's exchange is used for all that need no time, and a lent one is made anew. */
Test(serve, the_exchange_of_the_worker)
{
    struct rig rig;
    struct payload *payload = NULL;
    open_rig(&rig);
    rig.app.handle = handle_some;
    const struct exchange *first = rig.env.exchange;
    for (int i = 0; i < 3; i++) {
        struct span in = SPAN(GET("/a"));
        cr_expect_eq(serve_one(serve_next, &rig, &in, &payload), SERVED);
        cr_expect_eq(rig.env.exchange, first);
    }
    struct span in = SPAN(GET("/later"));
    cr_expect_eq(serve_one(serve_next, &rig, &in, &payload), HELD);
    cr_expect_eq(rig.conn.work->exchange, first);
    cr_expect_null(rig.env.exchange);
    buf_clear(&rig.env.out);
    cr_expect_eq(serve_refusal(&rig.conn, &rig.env, 503, &(struct refused){.method = HTTP_GET}),
                 SERVED);
    cr_expect_not_null(rig.env.exchange);
    struct span out = {.p = rig.env.out.p, .n = rig.env.out.len};
    cr_expect_eq(take_answer(&out, false).status, 503);
    close_rig(&rig);
}
