#include "worker/exchange.h"

#include "support.h"

#define HOST        "Host: x\r\n"
#define GET         "GET /a?b HTTP/1.1\r\n" HOST "X: y\r\n\r\n"
#define POST_5      "POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n"
#define POST_CHUNKS "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"

/* An application that counts what it is asked, and does what a test wants. */
struct talk {
    int asked;
    int released;
    int woken;
    bool defers;
    bool receives;
    int receive_max; /* bytes that it wants */
    bool is_ended;   /* the last piece has come */
    struct buf received;
    struct drover_app app;
    struct exchange_env env;
    struct exchange *exchange;
};

static void release(void *state)
{
    struct talk *talk = state;
    talk->released++;
}

static int receive(void *state, struct drover_response *response, const char *bytes, size_t length)
{
    struct talk *talk = state;
    cr_assert_eq(response, &talk->exchange->response);
    cr_assert_not(talk->is_ended, "nothing comes after the end");
    talk->is_ended = length == 0;
    buf_add(&talk->received, bytes, length);
    return (int)talk->received.len > talk->receive_max ? -1 : 0;
}

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    struct talk *talk = context;
    talk->asked++;
    cr_assert_eq(drover_response_request(response), request);
    cr_assert_eq(drover_response_attach(response, talk, release), 0);
    if (talk->defers)
        cr_assert_eq(drover_response_defer(response), 0);
    if (talk->receives)
        cr_assert_eq(drover_response_receive(response, receive, talk), 0);
}

static void note(void *context, struct conn *conn)
{
    struct talk *talk = context;
    cr_assert_eq(conn, (struct conn *)talk);
    talk->woken++;
}

static void open_talk(struct talk *talk, enum drover_when when)
{
    *talk = (struct talk){.receive_max = 1000};
    talk->app = (struct drover_app){
        .name = "test", .context = talk, .handle = handle, .when = when};
    exchange_env_open(&talk->env, &talk->app);
    talk->env.wake = note;
    talk->env.wake_context = talk;
    talk->exchange = exchange_new(&talk->env);
    cr_assert_not_null(talk->exchange);
    talk->exchange->conn = (struct conn *)talk; /* anything: it is not looked into */
}

static void begin(struct talk *talk, const char *request)
{
    int n = http_parse_head(&talk->exchange->request.head, request, strlen(request));
    cr_assert_eq(n, (int)strlen(request));
    exchange_begin(talk->exchange);
}

static void close_talk(struct talk *talk)
{
    exchange_free(talk->exchange);
    exchange_env_close(&talk->env);
    cr_expect_eq(talk->released, talk->asked, "released as often as attached");
    buf_free(&talk->received);
}

/* ------------------------------------------------------------------- what becomes of a body */

Test(exchange, at_the_head_a_body_is_dropped)
{
    struct talk talk;
    open_talk(&talk, DROVER_AT_HEAD);
    begin(&talk, POST_5);
    cr_expect_eq(talk.asked, 1);
    cr_expect(exchange_drops(talk.exchange));
    cr_expect_not(exchange_refuses(talk.exchange));
    cr_expect_eq(exchange_body(talk.exchange, SPAN("hello")), 0);
    exchange_body_end(talk.exchange);
    cr_expect_eq(talk.asked, 1);
    cr_expect_null(drover_request_body(&talk.exchange->request).p);
    cr_expect(exchange_is_ready(talk.exchange));
    close_talk(&talk);
}

Test(exchange, a_whole_body_is_gathered)
{
    struct talk talk;
    open_talk(&talk, DROVER_WITH_BODY);
    begin(&talk, POST_5);
    cr_expect_eq(talk.asked, 0, "it is not whole yet");
    cr_expect_not(exchange_drops(talk.exchange));
    cr_expect_eq(exchange_body(talk.exchange, SPAN("he")), 0);
    cr_expect_eq(exchange_body(talk.exchange, SPAN("llo")), 0);
    exchange_body_end(talk.exchange);
    cr_expect_eq(talk.asked, 1);
    struct drover_span body = drover_request_body(&talk.exchange->request);
    cr_expect(span_eq((struct span){.p = body.p, .n = body.n}, SPAN("hello")));
    exchange_reset(talk.exchange);
    cr_expect_null(drover_request_body(&talk.exchange->request).p, "not the next one's");
    close_talk(&talk);
}

static const struct {
    uint64_t max;
    const char *request;
    bool is_refused; /* by its length alone */
    int pieces[4];   /* bytes; ends with 0 */
    int last;        /* what the last of them gives */
} bounds[] = {
    {5, POST_5, false, {5}, 0},
    {5, POST_5, false, {2, 3}, 0},
    {4, POST_5, true, {0}, 0},
    {0, POST_5, true, {0}, 0},
    {5, POST_CHUNKS, false, {5}, 0},
    {5, POST_CHUNKS, false, {6}, -413},
    {5, POST_CHUNKS, false, {2, 3}, 0},
    {5, POST_CHUNKS, false, {2, 4}, -413},
    {5, POST_CHUNKS, false, {2, 3, 1}, -413},
    {0, POST_CHUNKS, false, {1}, -413},
    {0, POST_CHUNKS, false, {0}, 0},
};

Test(exchange, as_much_is_gathered_as_allowed)
{
    for (size_t i = 0; i < LENGTH(bounds); i++) {
        struct talk talk;
        int result = 0;
        open_talk(&talk, DROVER_WITH_BODY);
        talk.env.body_max = bounds[i].max;
        begin(&talk, bounds[i].request);
        cr_expect_eq(exchange_refuses(talk.exchange), bounds[i].is_refused, "%zu", i);
        for (const int *n = bounds[i].pieces; *n; n++) {
            cr_expect_eq(result, 0, "%zu: only the last is refused", i);
            result = exchange_body(talk.exchange, (struct span){.p = "abcdef", .n = (size_t)*n});
        }
        cr_expect_eq(result, bounds[i].last, "%zu: %d", i, result);
        close_talk(&talk);
    }
}

Test(exchange, pieces_are_given_as_they_come)
{
    struct talk talk;
    open_talk(&talk, DROVER_AT_HEAD);
    talk.receives = true;
    talk.env.body_max = 1; /* is not theirs */
    begin(&talk, POST_5);
    cr_expect_not(exchange_drops(talk.exchange));
    cr_expect_not(exchange_refuses(talk.exchange));
    exchange_body(talk.exchange, SPAN("he"));
    exchange_body(talk.exchange, SPAN("")); /* is not the end */
    exchange_body(talk.exchange, SPAN("llo"));
    cr_expect_not(talk.is_ended);
    exchange_body_end(talk.exchange);
    cr_expect(talk.is_ended);
    cr_expect(span_eq((struct span){.p = talk.received.p, .n = talk.received.len}, SPAN("hello")));
    cr_expect(exchange_is_ready(talk.exchange));
    close_talk(&talk);
}

Test(exchange, what_is_of_no_use_is_dropped)
{
    struct talk talk;
    open_talk(&talk, DROVER_AT_HEAD);
    talk.receives = true;
    talk.defers = true;
    talk.receive_max = 3;
    begin(&talk, POST_5);
    exchange_body(talk.exchange, SPAN("abc"));
    cr_expect_not(exchange_drops(talk.exchange));
    cr_expect_not(exchange_is_ready(talk.exchange));
    exchange_body(talk.exchange, SPAN("d"));
    cr_expect(exchange_drops(talk.exchange));
    cr_expect(exchange_is_ready(talk.exchange), "the answer is due");
    exchange_body(talk.exchange, SPAN("e"));
    exchange_body_end(talk.exchange);
    cr_expect_eq(talk.received.len, 4);
    cr_expect_not(talk.is_ended);
    close_talk(&talk);
}

Test(exchange, a_body_cannot_be_received_later)
{
    struct talk talk;
    open_talk(&talk, DROVER_AT_HEAD);
    begin(&talk, POST_5);
    cr_expect_eq(drover_response_receive(&talk.exchange->response, receive, &talk), -1);
    cr_expect_not_null(drover_response_error(&talk.exchange->response));
    cr_expect(exchange_drops(talk.exchange));
    close_talk(&talk);
    open_talk(&talk, DROVER_WITH_BODY);
    begin(&talk, POST_5);
    cr_expect_eq(drover_response_receive(&talk.exchange->response, receive, &talk), -1);
    close_talk(&talk);
}

/* What the server refuses or answers by itself, the application is not asked. */
Test(exchange, not_asked)
{
    static const struct {
        const char *request;
        int status;
    } refused[] = {
        {"BREW / HTTP/1.1\r\n" HOST "\r\n", 501},
        {"CONNECT x:1 HTTP/1.1\r\n" HOST "\r\n", 501},
        {"GET /%00 HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "Expect: x\r\n\r\n", 417},
        {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 204},
    };
    for (size_t i = 0; i < 2 * LENGTH(refused); i++) {
        struct talk talk;
        open_talk(&talk, i % 2 ? DROVER_AT_HEAD : DROVER_WITH_BODY);
        begin(&talk, refused[i / 2].request);
        exchange_body_end(talk.exchange);
        cr_expect_eq(talk.asked, 0, "%s", refused[i / 2].request);
        cr_expect_eq(talk.exchange->response.status, refused[i / 2].status);
        cr_expect(exchange_drops(talk.exchange));
        cr_expect(exchange_is_ready(talk.exchange));
        close_talk(&talk);
    }
}

/* -------------------------------------------------------------------------------- its life */

Test(exchange, a_reset_one_is_like_a_new_one)
{
    struct talk talk;
    open_talk(&talk, DROVER_AT_HEAD);
    begin(&talk, GET);
    struct drover_response *r = &talk.exchange->response;
    drover_response_status(r, 404);
    drover_response_field(r, "X", "y");
    drover_response_type(r, "a/b");
    drover_response_etag(r, "\"v\"");
    drover_response_modified(r, 5);
    drover_response_file(r, make_file(3), 3);
    drover_response_defer(r);
    drover_response_status(r, 999);
    int before = count_fds();
    exchange_reset(talk.exchange);
    cr_expect_eq(count_fds(), before - 1, "the file is closed");
    cr_expect_eq(r->status, 200);
    cr_expect_not(r->has_status || r->is_sealed || r->is_deferred || r->is_finished);
    cr_expect_not(r->has_modified);
    cr_expect_eq(r->source, SOURCE_NONE);
    cr_expect_eq(r->fields.len + r->body.len + r->type.len + r->etag.len, 0);
    cr_expect_null(r->receive);
    cr_expect_null(r->protocol);
    cr_expect_null(drover_response_error(r));
    cr_expect_not(talk.exchange->has_begun || talk.exchange->must_close);
    cr_expect_null(talk.exchange->conn);
    close_talk(&talk);
}

/* Copies stand alone on the heap, so that the sanitizer sees a look at what is gone. */
static void detach(struct talk *talk, const char *request)
{
    size_t n = strlen(request);
    char *copy = malloc(n);
    cr_assert_not_null(copy);
    memcpy(copy, request, n);
    struct span head = {.p = copy, .n = n};
    cr_assert_eq(http_parse_head(&talk->exchange->request.head, head.p, head.n), (int)n);
    exchange_begin(talk->exchange);
    cr_assert_eq(exchange_detach(talk->exchange, head), 0);
    memset(copy, 'x', n);
    free(copy);
}

static bool is(struct drover_span s, const char *text)
{
    return span_eq((struct span){.p = s.p, .n = s.n}, span_of(text));
}

Test(exchange, a_detached_one_keeps_its_request)
{
    struct talk talk;
    open_talk(&talk, DROVER_AT_HEAD);
    talk.defers = true;
    detach(&talk, "\r\n" GET); /* an empty line before it, too */
    const struct drover_request *request = &talk.exchange->request;
    cr_expect(is(drover_request_method(request), "GET"));
    cr_expect(is(drover_request_path(request), "/a"));
    cr_expect(is(drover_request_query(request), "b"));
    cr_expect(is(drover_request_authority(request), "x"));
    cr_expect(is(drover_request_field(request, "X"), "y"));
    close_talk(&talk);
}

Test(exchange, a_finished_one_wakes_its_connection)
{
    struct talk talk;
    open_talk(&talk, DROVER_AT_HEAD);
    talk.defers = true;
    detach(&talk, GET);
    struct drover_response *r = &talk.exchange->response;
    drover_response_resume(r);
    cr_expect_eq(talk.woken, 1);
    cr_expect_not(exchange_is_ready(talk.exchange));
    cr_expect_not(drover_response_is_gone(r));
    drover_response_finish(r);
    cr_expect_eq(talk.woken, 2);
    cr_expect(exchange_is_ready(talk.exchange));
    exchange_abandon(talk.exchange);
    talk.exchange = NULL;
    cr_expect_eq(talk.released, 1, "nobody finishes it again");
    close_talk(&talk);
}

Test(exchange, an_abandoned_one_lives_until_it_is_finished)
{
    struct talk talk;
    open_talk(&talk, DROVER_AT_HEAD);
    talk.defers = true;
    detach(&talk, GET);
    struct drover_response *r = &talk.exchange->response;
    exchange_abandon(talk.exchange);
    cr_expect_eq(talk.released, 0);
    cr_expect(drover_response_is_gone(r));
    cr_expect_eq(drover_response_body(r, "a", 1), 0, "it may still be filled in");
    drover_response_resume(r);
    cr_expect_eq(talk.woken, 0, "nobody is there");
    talk.exchange = NULL;
    drover_response_finish(r);
    cr_expect_eq(talk.released, 1);
    cr_expect_null(talk.env.detached);
    close_talk(&talk);
}

Test(exchange, an_abandoned_one_that_was_not_deferred_is_gone)
{
    struct talk talk;
    open_talk(&talk, DROVER_AT_HEAD);
    detach(&talk, POST_5);
    exchange_abandon(talk.exchange);
    talk.exchange = NULL;
    cr_expect_eq(talk.released, 1);
    cr_expect_null(talk.env.detached);
    close_talk(&talk);
}

/* Finished in any order, and the rest at the worker's end. */
Test(exchange, many_that_were_detached)
{
    enum { COUNT = 60 };
    struct exchange *all[COUNT];
    struct talk talk;
    unsigned seed = 11;
    open_talk(&talk, DROVER_AT_HEAD);
    talk.defers = true;
    for (int i = 0; i < COUNT; i++) {
        exchange_free(talk.exchange);
        talk.exchange = exchange_new(&talk.env);
        detach(&talk, GET);
        all[i] = talk.exchange;
        exchange_abandon(all[i]);
        talk.exchange = NULL;
    }
    for (int i = 0; i < COUNT / 2; i++) {
        unsigned k = next_random(&seed) % COUNT;
        if (all[k])
            drover_response_finish(&all[k]->response);
        all[k] = NULL;
    }
    cr_expect_not_null(talk.env.detached);
    cr_expect_lt(talk.released, COUNT);
    close_talk(&talk);
}

/* What was attached to one may be what another one waits for. */
static struct drover_response *finished_in_release;

static void finish_another(void *state)
{
    struct drover_response *other = finished_in_release;
    release(state);
    finished_in_release = NULL;
    if (other)
        drover_response_finish(other);
}

Test(exchange, one_that_is_finished_by_the_release_of_another_at_the_end)
{
    struct talk talk;
    open_talk(&talk, DROVER_AT_HEAD);
    talk.defers = true;
    for (int i = 0; i < 3; i++) {
        exchange_free(talk.exchange);
        talk.exchange = exchange_new(&talk.env);
        detach(&talk, GET);
        talk.exchange->response.release = finish_another;
        if (i == 1)
            finished_in_release = &talk.exchange->response;
        exchange_abandon(talk.exchange);
        talk.exchange = NULL;
    }
    close_talk(&talk);
}
