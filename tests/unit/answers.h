/*
 * answers - what a client makes of a server's bytes, strictly: a test fails where a client would
 * have to guess.
 */
#ifndef DROVER_TESTS_ANSWERS_H
#define DROVER_TESTS_ANSWERS_H

#include <ctype.h>

#include "base/buf.h"
#include "base/span.h"
#include "http/chunk.h"
#include "http/date.h"
#include "http/parse.h"
#include "http/respond.h"
#include "support.h"

/* Borrowed from the bytes it was read from. */
struct reply {
    int status;
    struct span fields; /* the lines, each with its CRLF */
    struct span body;   /* as it came: with its chunks' sizes, if is_chunked */
    bool is_chunked;
};

/* Takes the bytes up to the next CRLF off the front. */
static inline struct span take_line(struct span *bytes)
{
    const char *end = memmem(bytes->p, bytes->n, "\r\n", 2);
    cr_assert_not_null(end, "a line ends with CRLF: %.*s", (int)bytes->n, bytes->p);
    struct span line = {.p = bytes->p, .n = (size_t)(end - bytes->p)};
    bytes->p += line.n + 2;
    bytes->n -= line.n + 2;
    return line;
}

/* The field's value; p is NULL when there is none. One that is there twice fails the test. */
static inline struct span answer_field(const struct reply *answer, const char *name)
{
    struct span rest = answer->fields;
    struct span value = {0};
    size_t n = strlen(name);
    while (rest.n > 0) {
        struct span line = take_line(&rest);
        if (line.n <= n || line.p[n] != ':' || strncasecmp(line.p, name, n) != 0)
            continue;
        cr_assert_null(value.p, "%s is there twice", name);
        value = span_trim((struct span){.p = line.p + n + 1, .n = line.n - n - 1});
    }
    return value;
}

static inline void check_line(struct span line)
{
    const char *colon = memchr(line.p, ':', line.n);
    cr_assert_not_null(colon, "a field has a colon: %.*s", (int)line.n, line.p);
    cr_assert(http_is_token((struct span){.p = line.p, .n = (size_t)(colon - line.p)}),
              "a field's name is a token: %.*s", (int)line.n, line.p);
    for (size_t i = 0; i < line.n; i++)
        cr_assert((unsigned char)line.p[i] >= ' ' && line.p[i] != 0x7f, "no control bytes: %.*s",
                  (int)line.n, line.p);
}

static inline void take_status(struct span line, struct reply *answer)
{
    char expected[80];
    cr_assert_geq(line.n, sizeof "HTTP/1.1 200" - 1, "%.*s", (int)line.n, line.p);
    answer->status = (line.p[9] - '0') * 100 + (line.p[10] - '0') * 10 + (line.p[11] - '0');
    int n = snprintf(expected, sizeof expected, "HTTP/1.1 %d %s", answer->status,
                     http_reason(answer->status));
    cr_assert(line.n == (size_t)n && memcmp(line.p, expected, line.n) == 0, "%.*s", (int)line.n,
              line.p);
}

/* Takes a chunked body off the front, and appends what it holds to *body, unless NULL. */
static inline void take_chunks(struct span *bytes, struct buf *body)
{
    struct http_chunked chunked = {0};
    struct span data;
    int whole = 0;
    while (whole == 0) {
        cr_assert_gt(bytes->n, 0, "the last chunk is there");
        whole = http_chunked_read(&chunked, bytes, &data);
        if (body)
            buf_span(body, data);
    }
    cr_assert_eq(whole, 1, "a chunked body is well formed");
}

/* Takes the body off the front, by the rules of RFC 9112, 6.3. */
static inline void take_reply_body(struct reply *reply, struct span *bytes, bool to_head)
{
    struct span length = answer_field(reply, "Content-Length");
    struct span coding = answer_field(reply, "Transfer-Encoding");
    uint64_t n = 0;
    bool has_none = reply->status < 200 || reply->status == 204 || reply->status == 304;
    cr_assert(!length.p || !coding.p, "a length or chunks");
    if (has_none)
        cr_assert(!length.p && !coding.p, "%d has no length", reply->status);
    else if (length.p)
        cr_assert(span_to_u64(length, &n), "%d has a length", reply->status);
    else if (coding.p)
        cr_assert(span_eq(coding, SPAN("chunked")), "%.*s", (int)coding.n, coding.p);
    else
        cr_assert(span_eq(answer_field(reply, "Connection"), SPAN("close")), "it ends somewhere");
    reply->body = (struct span){.p = bytes->p, .n = 0};
    reply->is_chunked = coding.p != NULL;
    if (has_none || to_head)
        return;
    if (!length.p && !coding.p)
        n = bytes->n;
    cr_assert_leq(n, bytes->n, "the body is whole: %zu of %llu bytes", bytes->n,
                  (unsigned long long)n);
    bytes->p += n;
    bytes->n -= (size_t)n;
    if (coding.p)
        take_chunks(bytes, NULL);
    reply->body.n = (size_t)(bytes->p - reply->body.p);
}

/* Appends the body itself. */
static inline void read_body(const struct reply *reply, struct buf *body)
{
    struct span bytes = reply->body;
    if (reply->is_chunked && bytes.n > 0)
        take_chunks(&bytes, body);
    else
        buf_span(body, bytes);
}

/* Takes one answer off the front. `to_head`: to a HEAD, so it has no body. */
static inline struct reply take_answer(struct span *bytes, bool to_head)
{
    struct reply answer = {0};
    take_status(take_line(bytes), &answer);
    answer.fields.p = bytes->p;
    for (struct span line = take_line(bytes); line.n > 0; line = take_line(bytes))
        check_line(line);
    answer.fields.n = (size_t)(bytes->p - answer.fields.p) - 2;
    cr_assert(span_eq(answer_field(&answer, "Server"), SPAN("drover")));
    cr_assert_eq(answer_field(&answer, "Date").n, HTTP_DATE_LENGTH);
    take_reply_body(&answer, bytes, to_head);
    return answer;
}

/* Takes what tells a client to send its body off the front (RFC 9110, 15.2.1). */
static inline void take_continue(struct span *bytes)
{
    const struct span wanted = SPAN("HTTP/1.1 100 Continue\r\n\r\n");
    cr_assert(bytes->n >= wanted.n && memcmp(bytes->p, wanted.p, wanted.n) == 0, "%.*s",
              (int)bytes->n, bytes->p);
    bytes->p += wanted.n;
    bytes->n -= wanted.n;
}

/* Is this line, without its CRLF, one of the fields? */
static inline bool has_line(const struct reply *answer, struct span wanted)
{
    struct span rest = answer->fields;
    while (rest.n > 0)
        if (span_eq(take_line(&rest), wanted))
            return true;
    return false;
}

static inline size_t count_lines(const struct reply *answer)
{
    struct span rest = answer->fields;
    size_t count = 0;
    for (; rest.n > 0; count++)
        take_line(&rest);
    return count;
}

/* The fields are these, one a line, in any order, and Server and Date. */
static inline void expect_lines(const struct reply *answer, const char *lines, const char *name)
{
    size_t count = 2;
    while (*lines) {
        size_t n = strcspn(lines, "\n");
        cr_expect(has_line(answer, (struct span){.p = lines, .n = n}), "%s: no \"%.*s\" in\n%.*s",
                  name, (int)n, lines, (int)answer->fields.n, answer->fields.p);
        lines += n + (lines[n] == '\n');
        count++;
    }
    cr_expect_eq(count_lines(answer), count, "%s: other fields in\n%.*s", name,
                 (int)answer->fields.n, answer->fields.p);
}

#endif
