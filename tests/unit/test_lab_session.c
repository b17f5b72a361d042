#include "lab/trial/session.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "load/answer.h"

static const struct session_stamp stamp = {.worker = 3, .accepted_us = 12345678901};

/* What came of it, as a client sees it. */
struct seen {
    enum session_verdict verdict;
    size_t answers;
    int status; /* of the last one */
    bool close;
    uint64_t cost_us;
};

static void look(struct seen *seen, const struct buf *out)
{
    struct span left = {out->p, out->len};
    for (; left.n > 0; seen->answers++) {
        struct answer answer;
        answer_start(&answer, false);
        size_t used = answer_feed(&answer, left);
        cr_assert_eq(answer.state, ANSWER_WHOLE);
        cr_assert_eq(used, (size_t)SESSION_ANSWER_SIZE);
        seen->status = answer.status;
        seen->close = answer.close;
        left.p += used;
        left.n -= used;
    }
}

/* Fed in pieces of so many bytes. */
static struct seen feed(const char *bytes, size_t length, size_t piece)
{
    struct session session = {0};
    struct buf out = {0};
    struct seen seen = {.verdict = SESSION_KEEP};
    for (size_t at = 0; at < length && seen.verdict == SESSION_KEEP; at += piece) {
        size_t n = length - at < piece ? length - at : piece;
        /* In memory of its own, so that a sanitizer sees who reads past the end. */
        char *copy = malloc(n);
        cr_assert(copy);
        memcpy(copy, bytes + at, n);
        seen.verdict = session_feed(&session, &stamp, copy, n, &out, &seen.cost_us);
        free(copy);
        cr_assert(session.rest.len < HTTP_HEAD_MAX);
    }
    look(&seen, &out);
    if (seen.verdict == SESSION_CLOSE)
        cr_expect_null(session.rest.p);
    session_free(&session);
    buf_free(&out);
    return seen;
}

#define GET  "GET / HTTP/1.1\r\nHost: lab\r\n\r\n"
#define COST "GET /cost/250 HTTP/1.1\r\nHost: lab\r\n\r\n"
#define LAST "GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: 0\r\n\r\n"

static const struct {
    const char *name;
    const char *bytes;
    struct seen seen;
} cases[] = {
    {"nothing", "", {SESSION_KEEP, 0, 0, false, 0}},
    {"one", GET, {SESSION_KEEP, 1, 200, false, 0}},
    {"one that costs", COST, {SESSION_KEEP, 1, 200, false, 250}},
    {"the last one", LAST, {SESSION_CLOSE, 1, 200, true, 0}},
    {"three at once", COST GET COST, {SESSION_KEEP, 3, 200, false, 500}},
    {"one and a part", COST "GET /cost/9 HT", {SESSION_KEEP, 1, 200, false, 250}},
    {"after the last one", LAST COST, {SESSION_CLOSE, 1, 200, true, 0}},
    {"an old client", "GET / HTTP/1.0\r\n\r\n", {SESSION_CLOSE, 1, 200, true, 0}},
    {"an old one that stays",
     "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
     {SESSION_KEEP, 1, 200, false, 0}},
    {"nonsense", "nonsense\r\n\r\n", {SESSION_CLOSE, 1, 400, true, 0}},
    {"nonsense after one", COST "nonsense\r\n\r\n", {SESSION_CLOSE, 2, 400, true, 250}},
    {"a body",
     "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
     {SESSION_CLOSE, 1, 413, true, 0}},
    {"a body in chunks",
     "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     {SESSION_CLOSE, 1, 413, true, 0}},
    {"another method", POST GET, {SESSION_CLOSE, 1, 501, true, 0}},
    {"an unknown version", "GET / HTTP/3.0\r\n\r\n", {SESSION_CLOSE, 1, 505, true, 0}},
    {"an expectation",
     "GET / HTTP/1.1\r\nHost: a\r\nExpect: rain\r\n\r\n",
     {SESSION_CLOSE, 1, 417, true, 0}},
    {"no cost",
     "GET /cost/ HTTP/1.1\r\nHost: a\r\n\r\nGET /cost/1x HTTP/1.1\r\nHost: a\r\n\r\n"
     "GET /cost/-1 HTTP/1.1\r\nHost: a\r\n\r\nGET /costs/1 HTTP/1.1\r\nHost: a\r\n\r\n",
     {SESSION_KEEP, 4, 200, false, 0}},
    {"too much cost",
     "GET /cost/99000000 HTTP/1.1\r\nHost: a\r\n\r\n",
     {SESSION_KEEP, 1, 200, false, SESSION_COST_MAX_US}},
};

static void expect_seen(const char *name, size_t piece, struct seen got, struct seen want)
{
    cr_expect_eq(got.verdict, want.verdict, "%s by %zu", name, piece);
    cr_expect_eq(got.answers, want.answers, "%s by %zu: %zu", name, piece, got.answers);
    cr_expect_eq(got.status, want.status, "%s by %zu: %d", name, piece, got.status);
    cr_expect_eq(got.close, want.close, "%s by %zu", name, piece);
    cr_expect_eq(got.cost_us, want.cost_us, "%s by %zu: %llu", name, piece,
                 (unsigned long long)got.cost_us);
}

/* How the bytes are split changes nothing. */
Test(lab_session, requests_in_pieces_of_every_size)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length = strlen(cases[i].bytes);
        for (size_t piece = 1; piece <= length + 1; piece++)
            expect_seen(cases[i].name, piece, feed(cases[i].bytes, length, piece), cases[i].seen);
    }
}

/* A client that never ends its head: 431, and no more memory than a head's. */
static char endless[3 * HTTP_HEAD_MAX];

Test(lab_session, an_endless_head_is_refused)
{
    static const char line[] = "X-Line: 0123456789012345678901234567890123456789\r\n";
    size_t n = sizeof GET - 3; /* without its last CRLF */
    memcpy(endless, GET, n);
    for (; n + sizeof line <= sizeof endless; n += sizeof line - 1)
        memcpy(endless + n, line, sizeof line - 1);
    struct seen want = {SESSION_CLOSE, 1, 431, true, 0};
    expect_seen("endless", 4096, feed(endless, n, 4096), want);
    expect_seen("endless", n, feed(endless, n, n), want);
}

Test(lab_session, what_is_kept_of_a_request_is_let_go)
{
    struct session session = {0};
    struct buf out = {0};
    uint64_t cost_us = 0;
    cr_expect_eq(session_feed(&session, &stamp, GET GET, 40, &out, &cost_us), SESSION_KEEP);
    cr_expect_eq(out.len, (size_t)SESSION_ANSWER_SIZE);
    cr_expect_eq(session.rest.len, 40 - (sizeof GET - 1));
    const char *left = &GET[session.rest.len];
    cr_expect_eq(session_feed(&session, &stamp, left, strlen(left), &out, &cost_us), SESSION_KEEP);
    cr_expect_eq(out.len, (size_t)2 * SESSION_ANSWER_SIZE);
    cr_expect_null(session.rest.p, "an idle connection holds no memory");
    buf_free(&out);
}

Test(lab_session, no_memory_closes)
{
    struct session session = {0};
    struct buf out = {.failed = true};
    uint64_t cost_us = 0;
    cr_expect_eq(session_feed(&session, &stamp, GET, sizeof GET - 1, &out, &cost_us),
                 SESSION_CLOSE);
    cr_expect_eq(session_feed(&session, &stamp, "x\r\n", 3, &out, &cost_us), SESSION_CLOSE);
}

static struct session_stamp stamp_of(const struct buf *out)
{
    struct session_stamp read = {0};
    cr_assert_eq(out->len, (size_t)SESSION_ANSWER_SIZE);
    cr_assert(session_read_stamp(out->p, &read));
    return read;
}

Test(lab_session, a_stamp_is_read_as_it_was_written)
{
    static const struct session_stamp stamps[] = {
        {0, 0}, {3, 12345678901}, {127, 1}, {UINT32_MAX, INT64_MAX}};
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++) {
        struct buf out = {0};
        session_greet(&stamps[i], &out);
        struct session_stamp read = stamp_of(&out);
        cr_expect_eq(read.worker, stamps[i].worker);
        cr_expect_eq(read.accepted_us, stamps[i].accepted_us);
        buf_free(&out);
    }
}

/* The bytes themselves, so that both sides cannot be wrong in the same way. */
Test(lab_session, a_greeting_ends_in_its_stamp_and_says_close)
{
    struct buf out = {0};
    struct seen seen = {0};
    session_greet(&stamp, &out);
    look(&seen, &out);
    cr_expect(seen.answers == 1 && seen.close);
    static const char end[] = "\r\n\r\n     worker 0000000003 accepted 0000000012345678901 us\n";
    cr_expect_eq(memcmp(out.p + out.len - (sizeof end - 1), end, sizeof end - 1), 0);
    buf_free(&out);
}

static void expect_none(const char *name, const struct buf *out, size_t at, char instead)
{
    char bytes[SESSION_ANSWER_SIZE];
    struct session_stamp read;
    memcpy(bytes, out->p, sizeof bytes);
    bytes[at] = instead;
    cr_expect_not(session_read_stamp(bytes, &read), "%s", name);
}

Test(lab_session, what_is_no_stamp)
{
    struct buf out = {0};
    session_greet(&stamp, &out);
    expect_none("another status", &out, 9, '5');
    expect_none("another version", &out, 5, '2');
    expect_none("another word", &out, SESSION_ANSWER_SIZE - 50, 'W');
    expect_none("no digit", &out, SESSION_ANSWER_SIZE - 43, '-');
    expect_none("a worker too large", &out, SESSION_ANSWER_SIZE - 43, '9');
    expect_none("another word between", &out, SESSION_ANSWER_SIZE - 30, 'A');
    expect_none("a space for a digit", &out, SESSION_ANSWER_SIZE - 5, ' ');
    expect_none("no digit in the time", &out, SESSION_ANSWER_SIZE - 23, ':');
    expect_none("another end", &out, SESSION_ANSWER_SIZE - 1, ' ');
    buf_free(&out);
}

Test(lab_session, a_time_beyond_its_type_is_no_stamp)
{
    static const struct session_stamp last = {0, INT64_MAX}; /* 9223372036854775807 */
    struct buf out = {0};
    session_greet(&last, &out);
    expect_none("one more", &out, SESSION_ANSWER_SIZE - 5, '8');
    buf_free(&out);
}

Test(lab_session, a_refusal_has_no_stamp)
{
    struct session session = {0};
    struct buf out = {0};
    uint64_t cost_us = 0;
    struct session_stamp read;
    session_feed(&session, &stamp, "x\r\n", 3, &out, &cost_us);
    cr_assert_eq(out.len, (size_t)SESSION_ANSWER_SIZE);
    cr_expect_not(session_read_stamp(out.p, &read));
    buf_free(&out);
}

Test(lab_session, a_request_is_what_a_session_answers)
{
    static const struct {
        uint64_t cost_us;
        bool close;
    } requests[] = {{0, false}, {0, true}, {1, false}, {250, true}, {SESSION_COST_MAX_US, false}};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char text[SESSION_REQUEST_SIZE];
        size_t n = session_request(text, sizeof text, requests[i].cost_us, requests[i].close);
        cr_assert_eq(n, strlen(text));
        struct seen want = {requests[i].close ? SESSION_CLOSE : SESSION_KEEP, 1, 200,
                            requests[i].close, requests[i].cost_us};
        expect_seen("own request", n, feed(text, n, n), want);
    }
}

Test(lab_session, the_longest_request_fits)
{
    char text[SESSION_REQUEST_SIZE];
    size_t n = session_request(text, sizeof text, UINT64_MAX, true);
    cr_expect(n < sizeof text);
    cr_expect_str_eq(text, "GET /cost/18446744073709551615 HTTP/1.1\r\nHost: lab\r\n"
                           "Connection: close\r\n\r\n");
}
