#include "worker/prepared.h"

#include <errno.h>
#include <sys/socket.h>

#include "answers.h"
#include "worker/answer.h"

#define DATE 784111777 /* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define NOW  (DATE + 60)

/* ------------------------------------------------- answers, each plain and as it was prepared */

typedef void answer_fn(struct drover_response *response);

static void say_nothing(struct drover_response *response)
{
    (void)response;
}

static void say_type(struct drover_response *response)
{
    drover_response_type(response, "a/b");
}

static void say_no_bytes(struct drover_response *response)
{
    drover_response_body(response, "", 0);
}

static void say_hello(struct drover_response *response)
{
    drover_response_body(response, "hello", 5);
}

static void say_json(struct drover_response *response)
{
    drover_response_status(response, 200);
    drover_response_type(response, "application/json");
    drover_response_field(response, "X-One", "1");
    drover_response_field(response, "X-Two", "2");
    drover_response_body(response, "{", 1);
    drover_response_body(response, "}", 1);
}

static void say_tagged(struct drover_response *response)
{
    say_hello(response);
    drover_response_etag(response, "\"v1\"");
    drover_response_modified(response, DATE);
    drover_response_field(response, "Content-Encoding", "gzip");
    drover_response_field(response, "Vary", "a");
}

static void say_what_is_to_come(struct drover_response *response)
{
    say_hello(response);
    drover_response_modified(response, NOW + 1000);
}

static void send_alphabet(struct drover_response *response)
{
    int fd = memfd_create("alphabet", MFD_CLOEXEC);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, "abcdefghijklmnopqrstuvwxyz", 26), 26);
    drover_response_file(response, fd, 26);
}

static void send_file(struct drover_response *response)
{
    send_alphabet(response);
    drover_response_type(response, "text/x");
    drover_response_etag(response, "\"v1\"");
    drover_response_modified(response, DATE);
    drover_response_field(response, "X-One", "1");
}

static void send_weak_file(struct drover_response *response)
{
    send_file(response);
    drover_response_etag(response, "W/\"v1\"");
}

static void send_empty_file(struct drover_response *response)
{
    drover_response_file(response, make_file(0), 0);
}

static void send_start_of_file(struct drover_response *response)
{
    drover_response_file(response, make_file(1000), 3);
}

static void send_page(struct drover_response *response)
{
    drover_response_file(response, make_file(FILE_INLINE_MAX), FILE_INLINE_MAX);
}

static const struct {
    const char *name;
    answer_fn *answer;
} answers[] = {
    {"nothing", say_nothing},
    {"a type alone", say_type},
    {"no bytes", say_no_bytes},
    {"bytes", say_hello},
    {"a type and fields", say_json},
    {"tagged bytes", say_tagged},
    {"a time to come", say_what_is_to_come},
    {"a file with nothing said", send_alphabet},
    {"a file", send_file},
    {"a file with a weak tag", send_weak_file},
    {"an empty file", send_empty_file},
    {"the start of a file", send_start_of_file},
    {"a page", send_page},
};

/* What a request says behind its target. */
static const struct {
    const char *method;
    const char *rest;
} requests[] = {
    {"GET", "HTTP/1.1\r\n"},
    {"GET", "HTTP/1.1\r\nConnection: keep-alive\r\n"},
    {"GET", "HTTP/1.1\r\nConnection: close\r\n"},
    {"GET", "HTTP/1.0\r\n"},
    {"GET", "HTTP/1.0\r\nConnection: keep-alive\r\n"},
    {"HEAD", "HTTP/1.1\r\n"},
    {"HEAD", "HTTP/1.0\r\n"},
    {"HEAD", "HTTP/1.1\r\nRange: bytes=1-2\r\n"},
    {"POST", "HTTP/1.1\r\n"},
    {"POST", "HTTP/1.1\r\nRange: bytes=1-2\r\nIf-None-Match: *\r\n"},
    {"GET", "HTTP/1.1\r\nIf-None-Match: \"v1\"\r\n"},
    {"GET", "HTTP/1.0\r\nIf-None-Match: \"v1\"\r\n"},
    {"HEAD", "HTTP/1.1\r\nIf-None-Match: W/\"v1\"\r\n"},
    {"GET", "HTTP/1.1\r\nIf-None-Match: \"v2\"\r\n"},
    {"GET", "HTTP/1.1\r\nIf-None-Match: *\r\n"},
    {"GET", "HTTP/1.1\r\nIf-Match: \"v1\"\r\n"},
    {"GET", "HTTP/1.1\r\nIf-Match: \"v2\"\r\n"},
    {"HEAD", "HTTP/1.1\r\nIf-Match: \"v2\"\r\n"},
    {"GET", "HTTP/1.1\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"},
    {"GET", "HTTP/1.1\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n"},
    {"GET", "HTTP/1.1\r\nIf-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n"},
    {"GET", "HTTP/1.1\r\nRange: bytes=1-2\r\n"},
    {"GET", "HTTP/1.0\r\nRange: bytes=1-2\r\n"},
    {"GET", "HTTP/1.1\r\nRange: bytes=0-\r\n"},
    {"GET", "HTTP/1.1\r\nRange: bytes=-1\r\n"},
    {"GET", "HTTP/1.1\r\nRange: bytes=0-0,2-3,-1\r\n"},
    {"GET", "HTTP/1.1\r\nRange: bytes=0-0,2-3\r\nConnection: close\r\n"},
    {"GET", "HTTP/1.1\r\nRange: bytes=99999999-\r\n"},
    {"GET", "HTTP/1.1\r\nRange: bytes=99999999-,1-1\r\n"},
    {"GET", "HTTP/1.1\r\nRange: lines=1\r\n"},
    {"GET", "HTTP/1.1\r\nRange: bytes=1-2\r\nIf-Range: \"v1\"\r\n"},
    {"GET", "HTTP/1.1\r\nRange: bytes=1-2\r\nIf-Range: \"v2\"\r\n"},
    {"GET", "HTTP/1.1\r\nRange: bytes=1-2\r\nIf-None-Match: \"v1\"\r\n"},
};

/* ------------------------------------------------------------------------------ one exchange */

static struct drover_app app;
static struct exchange_env env;
static struct exchange *exchange;
static answer_fn *answer_with;
static struct drover_prepared *prepared; /* what the application has */

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    (void)context;
    (void)request;
    answer_with(response);
}

static void setup(void)
{
    app = (struct drover_app){.name = "test", .handle = handle};
    exchange_env_open(&env, &app);
    exchange_tick(&env, NOW);
    exchange = exchange_new(&env);
    cr_assert_not_null(exchange);
}

static void teardown(void)
{
    drover_prepared_free(prepared);
    exchange_free(exchange);
    exchange_env_close(&env);
}

TestSuite(prepared, .init = setup, .fini = teardown);

/* Sends the payload to a socket and appends what comes out at its other end. */
static void drain(struct payload *payload, struct buf *out)
{
    uint64_t sent = 0;
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    cr_assert_eq(payload_send(payload, ends[0], &sent), PAYLOAD_DONE, "%m");
    char *to = buf_room(out, 65536);
    ssize_t n = recv(ends[1], to, 65536, 0);
    cr_assert_eq((uint64_t)n, sent);
    buf_grow(out, (size_t)n);
    close(ends[0]);
    close(ends[1]);
    payload_free(payload);
}

/* Has the application answer, and appends the answer's bytes. True if the connection is kept. */
static bool run(const char *request, answer_fn *answer, bool last, struct buf *out)
{
    struct payload *payload = NULL;
    int n = http_parse_head(&exchange->request.head, request, strlen(request));
    cr_assert_eq(n, (int)strlen(request), "%s: %d", request, n);
    answer_with = answer;
    env.boundary = 7;
    exchange_begin(exchange);
    exchange_body_end(exchange);
    cr_assert_eq(answer_write(exchange, out, &payload, last), ANSWER_WHOLE);
    bool keep = !exchange->close;
    exchange_reset(exchange);
    if (payload)
        drain(payload, out);
    cr_assert_not(out->failed);
    return keep;
}

static answer_fn *to_prepare;

static void say_and_prepare(struct drover_response *response)
{
    to_prepare(response);
    prepared = drover_response_prepare(response);
    cr_assert_not_null(prepared, "%m");
}

#define GET_PLAIN "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

/* Appends the answer of which it was made. */
static void prepare(answer_fn *answer, struct buf *out)
{
    drover_prepared_free(prepared);
    to_prepare = answer;
    run(GET_PLAIN, say_and_prepare, false, out);
}

static void prepare_alone(answer_fn *answer)
{
    struct buf out = {0};
    prepare(answer, &out);
    buf_free(&out);
}

static void say_prepared(struct drover_response *response)
{
    cr_assert_eq(drover_response_prepared(response, prepared), 0);
}

static void expect_same(const struct buf *got, const struct buf *wanted, const char *name,
                        const char *request)
{
    cr_expect(span_eq(span_of_buf(got), span_of_buf(wanted)), "%s, %s:\n%.*s\ninstead of\n%.*s",
              name, request, (int)got->len, got->p, (int)wanted->len, wanted->p);
}

/* ---------------------------------------------------------------------------------- the bytes */

static void compare(size_t i, const char *request, bool last)
{
    struct buf plain = {0}, got = {0};
    bool keep = run(request, answers[i].answer, last, &plain);
    cr_expect_eq(run(request, say_prepared, last, &got), keep, "%s, %s", answers[i].name, request);
    expect_same(&got, &plain, answers[i].name, request);
    buf_free(&plain);
    buf_free(&got);
}

Test(prepared, every_answer_is_that_of_the_plain_one)
{
    for (size_t i = 0; i < LENGTH(answers); i++) {
        prepare_alone(answers[i].answer);
        for (size_t k = 0; k < LENGTH(requests); k++) {
            char request[256];
            snprintf(request, sizeof request, "%s / %sHost: x\r\n\r\n", requests[k].method,
                     requests[k].rest);
            compare(i, request, false);
            compare(i, request, true);
        }
    }
}

/* What goes out without an exchange. */
Test(prepared, the_whole_of_it_is_the_plain_answer)
{
    for (size_t i = 0; i < LENGTH(answers); i++) {
        struct buf plain = {0};
        prepare_alone(answers[i].answer);
        run(GET_PLAIN, answers[i].answer, false, &plain);
        struct span whole = prepared_whole(prepared, &env);
        cr_expect(span_eq(whole, span_of_buf(&plain)), "%s:\n%.*s", answers[i].name, (int)whole.n,
                  whole.p);
        buf_free(&plain);
    }
}

Test(prepared, the_response_it_is_made_of_stays_as_it_is)
{
    for (size_t i = 0; i < LENGTH(answers); i++) {
        struct buf plain = {0}, got = {0};
        run(GET_PLAIN, answers[i].answer, false, &plain);
        prepare(answers[i].answer, &got);
        expect_same(&got, &plain, answers[i].name, "GET");
        buf_free(&plain);
        buf_free(&got);
    }
}

Test(prepared, another_second_changes_the_date_alone)
{
    for (size_t i = 0; i < LENGTH(answers); i++) {
        struct buf before = {0};
        char date[HTTP_DATE_LENGTH + 1];
        exchange_tick(&env, NOW);
        prepare_alone(answers[i].answer);
        buf_span(&before, prepared_whole(prepared, &env));
        char *was = memmem(before.p, before.len, env.date, HTTP_DATE_LENGTH);
        cr_assert_not_null(was);
        exchange_tick(&env, NOW + 86400 + 1);
        http_date_format(date, NOW + 86400 + 1);
        memcpy(was, date, HTTP_DATE_LENGTH);
        cr_expect(span_eq(prepared_whole(prepared, &env), span_of_buf(&before)), "%s",
                  answers[i].name);
        buf_free(&before);
    }
}

Test(prepared, fields_are_added_to_one_answer_alone)
{
    static const char *const methods[] = {"GET", "HEAD"};
    prepare_alone(send_file);
    for (size_t i = 0; i < LENGTH(methods); i++) {
        struct buf out = {0};
        char request[64];
        exchange->request.head.method = HTTP_GET;
        snprintf(request, sizeof request, "%s / HTTP/1.1\r\nHost: x\r\n\r\n", methods[i]);
        int n = http_parse_head(&exchange->request.head, request, strlen(request));
        cr_assert_gt(n, 0);
        say_prepared(&exchange->response);
        cr_expect_eq(drover_response_field(&exchange->response, "X-More", "m"), 0);
        struct payload *payload;
        answer_write(exchange, &out, &payload, false);
        exchange_reset(exchange);
        struct span bytes = span_of_buf(&out);
        struct reply reply = take_answer(&bytes, i == 1);
        expect_lines(&reply,
                     "Content-Type: text/x\nContent-Length: 26\nX-One: 1\nX-More: m\n"
                     "Accept-Ranges: bytes\nETag: \"v1\"\n"
                     "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT",
                     methods[i]);
        cr_expect_eq(reply.body.n, i == 1 ? 0 : 26);
        buf_free(&out);
        compare(8, GET_PLAIN, false);
    }
}

/* ----------------------------------------------------------------------------------- its life */

Test(prepared, its_owner_may_go_first)
{
    prepare_alone(say_hello);
    say_prepared(&exchange->response);
    drover_prepared_free(prepared);
    cr_expect_eq(exchange->response.prepared->holders, 1);
    struct buf out = {0};
    struct payload *payload;
    cr_assert_gt(http_parse_head(&exchange->request.head, GET_PLAIN, strlen(GET_PLAIN)), 0);
    answer_write(exchange, &out, &payload, false);
    cr_expect_not_null(memmem(out.p, out.len, "\r\n\r\nhello", 9));
    exchange_reset(exchange);
    cr_expect_null(exchange->response.prepared);
    prepared = NULL;
    buf_free(&out);
}

Test(prepared, each_that_uses_it_holds_it)
{
    prepare_alone(say_hello);
    cr_expect_eq(prepared->holders, 1);
    say_prepared(&exchange->response);
    struct exchange *other = exchange_new(&env);
    say_prepared(&other->response);
    cr_expect_eq(prepared->holders, 3);
    exchange_become(other, 404);
    cr_expect_eq(prepared->holders, 2, "another answer has nothing of it");
    exchange_free(other);
    exchange_reset(exchange);
    cr_expect_eq(prepared->holders, 1);
    drover_prepared_free(NULL);
}

Test(prepared, the_file_is_read_and_may_change)
{
    int fd = make_file(100);
    cr_assert_eq(drover_response_file(&exchange->response, dup(fd), 100), 0);
    int before = count_fds();
    prepared = drover_response_prepare(&exchange->response);
    cr_assert_not_null(prepared);
    cr_expect_eq(count_fds(), before, "no descriptor stays");
    cr_assert_eq(pwrite(fd, "XXXX", 4, 0), 4);
    exchange_reset(exchange);
    cr_expect_eq(prepared->body.n, 100);
    for (size_t i = 0; i < 100; i++)
        cr_assert_eq(prepared->body.p[i], byte_at(i), "%zu", i);
    close(fd);
}

/* ---------------------------------------------------------------------------------- the misuse */

static long pull_nothing(void *state, char *to, size_t room)
{
    (void)state;
    (void)to;
    (void)room;
    return DROVER_END;
}

static const struct drover_protocol protocol = {.framing = DROVER_RAW};

static void say_status(struct drover_response *response)
{
    drover_response_status(response, 404);
    drover_response_body(response, "gone", 4);
}

static void say_no_content(struct drover_response *response)
{
    drover_response_status(response, 204);
}

static void stream(struct drover_response *response)
{
    drover_response_pull(response, -1, pull_nothing, NULL);
}

static void upgrade(struct drover_response *response)
{
    cr_assert_eq(drover_response_upgrade(response, "x", &protocol, NULL), 0);
}

static void offer_upgrade(struct drover_response *response)
{
    drover_response_field(response, "Upgrade", "x");
}

static const struct {
    const char *name;
    answer_fn *answer;
    bool is_a_start; /* what is prepared cannot be said behind it */
} misuses[] = {{"another status", say_status, true},
               {"no content", say_no_content, true},
               {"a stream", stream, true},
               {"an upgrade", upgrade, true},
               {"an upgrade's field", offer_upgrade, false}};

Test(prepared, what_cannot_be_prepared)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\n"
                                  "Upgrade: x\r\n\r\n";
    prepare_alone(say_hello);
    for (size_t i = 0; i < LENGTH(misuses); i++) {
        struct drover_response *r = &exchange->response;
        cr_assert_gt(http_parse_head(&exchange->request.head, request, strlen(request)), 0);
        misuses[i].answer(r);
        cr_expect_null(drover_response_error(r), "%s: %s", misuses[i].name, r->misuse);
        errno = 0;
        cr_expect_null(drover_response_prepare(r), "%s", misuses[i].name);
        cr_expect_eq(errno, EINVAL, "%s: %m", misuses[i].name);
        cr_expect_not_null(drover_response_error(r), "%s", misuses[i].name);
        errno = 0;
        if (misuses[i].is_a_start) {
            cr_expect_eq(drover_response_prepared(r, prepared), -1, "%s", misuses[i].name);
            cr_expect_eq(errno, EINVAL, "%s: %m", misuses[i].name);
        }
        exchange_reset(exchange);
        cr_expect_eq(prepared->holders, 1, "%s", misuses[i].name);
    }
}

/* It has its own status and body, whatever is said behind it. */
Test(prepared, nothing_else_is_said_behind_it)
{
    struct drover_response *r = &exchange->response;
    prepare_alone(say_hello);
    say_prepared(r);
    cr_expect_eq(drover_response_status(r, 404), -1);
    cr_expect_eq(errno, EINVAL);
    cr_expect_eq(drover_response_body(r, "x", 1), -1);
    cr_expect_eq(errno, EINVAL);
    int before = count_fds();
    cr_expect_eq(drover_response_file(r, make_file(1), 1), -1);
    cr_expect_eq(count_fds(), before);
    cr_expect_eq(drover_response_pull(r, -1, pull_nothing, NULL), -1);
    cr_expect_eq(drover_response_prepared(r, prepared), -1, "once");
    cr_expect_null(drover_response_prepare(r), "it is one");
    cr_expect_eq(prepared->holders, 2);
    exchange_reset(exchange);
}

static void tag_and_say_prepared(struct drover_response *response)
{
    drover_response_type(response, "other/type");
    drover_response_etag(response, "\"other\"");
    drover_response_modified(response, DATE - 1000);
    say_prepared(response);
}

/* Nor in front of it: GET and HEAD say the same. */
Test(prepared, its_type_and_tag_are_its_own)
{
    prepare_alone(send_file);
    for (size_t k = 0; k < LENGTH(requests); k++) {
        struct buf plain = {0}, got = {0};
        char request[256];
        snprintf(request, sizeof request, "%s / %sHost: x\r\n\r\n", requests[k].method,
                 requests[k].rest);
        run(request, send_file, false, &plain);
        run(request, tag_and_say_prepared, false, &got);
        expect_same(&got, &plain, "tagged before", request);
        buf_free(&plain);
        buf_free(&got);
    }
}

static void send_short_file(struct drover_response *response)
{
    drover_response_file(response, make_file(10), 11);
}

static void send_unreadable_file(struct drover_response *response)
{
    drover_response_file(response, open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 11);
}

Test(prepared, a_file_that_cannot_be_read)
{
    static const struct {
        answer_fn *answer;
        int error;
    } rows[] = {{send_short_file, ENODATA}, {send_unreadable_file, EISDIR}};
    int before = count_fds();
    for (size_t i = 0; i < LENGTH(rows); i++) {
        rows[i].answer(&exchange->response);
        errno = 0;
        cr_expect_null(drover_response_prepare(&exchange->response));
        cr_expect_eq(errno, rows[i].error, "%m");
        cr_expect_null(drover_response_error(&exchange->response), "it is no misuse");
        exchange_reset(exchange);
    }
    cr_expect_eq(count_fds(), before);
}
