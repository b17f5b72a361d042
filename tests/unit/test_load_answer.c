#include "load/answer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "load/checksum.h"

#define OK "HTTP/1.1 200 OK\r\n"

struct answer_case {
    const char *name;
    const char *bytes;
    enum answer_state state; /* after all bytes */
    size_t surplus;          /* bytes at the end that are not the answer's */
    int status;
    uint64_t body;
    bool close;
    bool end; /* the connection ends after the bytes */
};

static const struct answer_case cases[] = {
    {"a length", OK "Content-Length: 5\r\n\r\nhello", ANSWER_WHOLE, 0, 200, 5, false, false},
    {"a length of 0", OK "Content-Length: 0\r\n\r\n", ANSWER_WHOLE, 0, 200, 0, false, false},
    {"names in any case", OK "cONTENT-lENGTH:2\t\r\n\r\nhi", ANSWER_WHOLE, 0, 200, 2, false, false},
    {"the same length twice", OK "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi", ANSWER_WHOLE,
     0, 200, 2, false, false},
    {"a body to come", OK "Content-Length: 5\r\n\r\nhell", ANSWER_MORE, 0, 200, 4, false, false},
    {"a cut body", OK "Content-Length: 5\r\n\r\nhell", ANSWER_CUT, 0, 200, 4, false, true},
    {"a cut head", OK "Content-Len", ANSWER_CUT, 0, 200, 0, false, true},
    {"a cut status line", "HTTP/1.1 2", ANSWER_CUT, 0, 0, 0, false, true},
    {"surplus", OK "Content-Length: 2\r\n\r\nhi!?", ANSWER_WHOLE, 2, 200, 2, false, false},
    {"surplus after no body", OK "Content-Length: 0\r\n\r\nHTTP", ANSWER_WHOLE, 4, 200, 0, false,
     false},
    {"no reason", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", ANSWER_WHOLE, 0, 404, 0, false,
     false},
    {"204 has no body", "HTTP/1.1 204 No Content\r\n\r\n", ANSWER_WHOLE, 0, 204, 0, false, false},
    {"304 has no body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", ANSWER_WHOLE, 0,
     304, 0, false, false},
    {"101 is the last word of HTTP", "HTTP/1.1 101 Switching\r\n\r\n", ANSWER_WHOLE, 0, 101, 0,
     true, false},
    {"interim answers",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nConnection: close\r\n"
     "Content-Length: 7\r\n\r\n" OK "Content-Length: 1\r\n\r\nx",
     ANSWER_WHOLE, 0, 200, 1, false, false},
    {"cut after an interim answer", "HTTP/1.1 100 Continue\r\n\r\n", ANSWER_CUT, 0, 0, 0, false,
     true},

    {"close", OK "Connection: close\r\nContent-Length: 0\r\n\r\n", ANSWER_WHOLE, 0, 200, 0, true,
     false},
    {"close in a list", OK "Connection: x, Close\r\nContent-Length: 0\r\n\r\n", ANSWER_WHOLE, 0,
     200, 0, true, false},
    {"1.0 closes", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", ANSWER_WHOLE, 0, 200, 0, true,
     false},
    {"1.0 keeps", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n",
     ANSWER_WHOLE, 0, 200, 0, false, false},
    {"until the end", OK "\r\nhello", ANSWER_WHOLE, 0, 200, 5, true, true},
    {"until the end, to come", OK "\r\nhello", ANSWER_MORE, 0, 200, 5, true, false},
    {"until the end, empty", OK "\r\n", ANSWER_WHOLE, 0, 200, 0, true, true},
    {"another coding, until the end", OK "Transfer-Encoding: gzip\r\n\r\nzz", ANSWER_WHOLE, 0, 200,
     2, true, true},

    {"chunks",
     OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=\"y\"\r\n0123456789\r\n0\r\n\r\n",
     ANSWER_WHOLE, 0, 200, 15, false, false},
    {"chunks, gzip before", OK "Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n",
     ANSWER_WHOLE, 0, 200, 1, false, false},
    {"no chunk", OK "Transfer-Encoding: chunked\r\n\r\n000\r\n\r\n", ANSWER_WHOLE, 0, 200, 0, false,
     false},
    {"trailers",
     OK "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\nContent-Length: 9\r\n\r\n",
     ANSWER_WHOLE, 0, 200, 1, false, false},
    {"surplus after chunks", OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n", ANSWER_WHOLE, 2,
     200, 0, false, false},
    {"cut between chunks", OK "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", ANSWER_CUT, 0, 200, 1,
     false, true},
    {"cut before the trailers' end", OK "Transfer-Encoding: chunked\r\n\r\n0\r\n", ANSWER_CUT, 0,
     200, 0, false, true},

    {"not HTTP", "SSH-2.0-OpenSSH_9\r\n", ANSWER_MALFORMED, 0, 0, 0, false, false},
    {"HTTP/2", "HTTP/2.0 200 OK\r\n", ANSWER_MALFORMED, 0, 0, 0, false, false},
    {"a status of two digits", "HTTP/1.1 20 OK\r\n", ANSWER_MALFORMED, 0, 0, 0, false, false},
    {"a status of four digits", "HTTP/1.1 2000 OK\r\n", ANSWER_MALFORMED, 0, 0, 0, false, false},
    {"an empty line first", "\r\n", ANSWER_MALFORMED, 0, 0, 0, false, false},
    {"a bare line feed", "HTTP/1.1 200 OK\n", ANSWER_MALFORMED, 0, 0, 0, false, false},
    {"a field without a colon", OK "Server\r\n", ANSWER_MALFORMED, 0, 200, 0, false, false},
    {"a field without a name", OK ": x\r\n", ANSWER_MALFORMED, 0, 200, 0, false, false},
    {"a blank before the colon", OK "Server : x\r\n", ANSWER_MALFORMED, 0, 200, 0, false, false},
    {"a folded line", OK "A: b\r\n c: d\r\n", ANSWER_MALFORMED, 0, 200, 0, false, false},
    {"a length in words", OK "Content-Length: five\r\n", ANSWER_MALFORMED, 0, 200, 0, false, false},
    {"a negative length", OK "Content-Length: -1\r\n", ANSWER_MALFORMED, 0, 200, 0, false, false},
    {"a huge length", OK "Content-Length: 18446744073709551616\r\n", ANSWER_MALFORMED, 0, 200, 0,
     false, false},
    {"two lengths", OK "Content-Length: 1\r\nContent-Length: 2\r\n", ANSWER_MALFORMED, 0, 200, 0,
     false, false},
    {"a length and chunks", OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     ANSWER_MALFORMED, 0, 200, 0, false, false},
    {"chunks in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ANSWER_MALFORMED, 0,
     200, 0, true, false},
    {"a chunk size in words", OK "Transfer-Encoding: chunked\r\n\r\nx\r\n", ANSWER_MALFORMED, 0,
     200, 0, false, false},
    {"no chunk size", OK "Transfer-Encoding: chunked\r\n\r\n\r\n", ANSWER_MALFORMED, 0, 200, 0,
     false, false},
    {"a huge chunk", OK "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n", ANSWER_MALFORMED,
     0, 200, 0, false, false},
    {"a chunk longer than its size", OK "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
     ANSWER_MALFORMED, 0, 200, 1, false, false},
};

static void expect(const struct answer *a, const struct answer_case *c, size_t surplus,
                   const char *how)
{
    cr_expect_eq(a->state, c->state, "%s, %s: state %d", c->name, how, (int)a->state);
    cr_expect_eq(a->status, c->status, "%s, %s: status %d", c->name, how, a->status);
    cr_expect_eq(a->body, c->body, "%s, %s: body %llu", c->name, how, (unsigned long long)a->body);
    cr_expect_eq(a->close, c->close, "%s, %s: close %d", c->name, how, a->close);
    cr_expect_eq(surplus, c->surplus, "%s, %s: surplus %zu", c->name, how, surplus);
    cr_expect(a->started, "%s, %s: not started", c->name, how);
}

/* Feeds `n` bytes in pieces of at most `piece`, each from a fresh copy of its own size, so that
 * a sanitizer sees any look beyond it. Returns how many bytes were not taken. */
static size_t feed_pieces(struct answer *a, const char *bytes, size_t n, size_t piece)
{
    size_t at = 0;
    while (at < n && a->state == ANSWER_MORE) {
        size_t now = n - at < piece ? n - at : piece;
        char *copy = malloc(now);
        memcpy(copy, bytes + at, now);
        at += answer_feed(a, (struct span){.p = copy, .n = now});
        free(copy);
    }
    return n - at;
}

static void check(const struct answer_case *c, size_t split, size_t piece, const char *how)
{
    struct answer a;
    size_t n = strlen(c->bytes);
    memset(&a, 0xa5, sizeof a); /* answer_start() must set all that is looked at */
    answer_start(&a, false);
    size_t surplus = feed_pieces(&a, c->bytes, split, piece);
    if (a.state == ANSWER_MORE)
        surplus = feed_pieces(&a, c->bytes + split, n - split, piece);
    else
        surplus += n - split;
    if (c->end)
        answer_end(&a);
    expect(&a, c, surplus, how);
}

Test(load_answer, whole)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i], 0, SIZE_MAX, "whole");
}

Test(load_answer, byte_by_byte)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i], 0, 1, "byte by byte");
}

Test(load_answer, split_at_every_byte)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t at = 1; at < strlen(cases[i].bytes); at++) {
            char how[32];
            snprintf(how, sizeof how, "split at %zu", at);
            check(&cases[i], at, SIZE_MAX, how);
        }
}

/* A line of `n` bytes, CRLF included, that starts with `start`; then the end of a head. */
static const char *long_line(const char *start, size_t n)
{
    static char text[4096];
    size_t used = (size_t)snprintf(text, sizeof text, OK "Content-Length: 0\r\n");
    memset(text + used, 'x', n - 2);
    memcpy(text + used, start, strlen(start));
    snprintf(text + used + n - 2, sizeof text - used - n + 2, "\r\n\r\n");
    return text;
}

Test(load_answer, long_lines_pass_unless_they_decide_the_framing)
{
    struct answer_case passes = {"long", NULL, ANSWER_WHOLE, 0, 200, 0, false, false};
    struct answer_case fails = {"long", NULL, ANSWER_MALFORMED, 2, 200, 0, false, false};
    for (size_t n = ANSWER_LINE_MAX - 3; n < ANSWER_LINE_MAX + 5; n++) {
        bool fits = n - 1 <= ANSWER_LINE_MAX; /* the line feed is not kept */
        for (size_t piece = 1; piece < n + 40; piece += 7) {
            passes.bytes = long_line("Set-Cookie: ", n);
            check(&passes, 0, piece, "a cookie");
            passes.bytes = fails.bytes = long_line("Connection: ", n);
            if (fits)
                check(&passes, 0, piece, "a connection field");
        }
        if (!fits)
            check(&fails, 0, SIZE_MAX, "a connection field");
    }
}

Test(load_answer, the_end_before_any_byte_is_not_a_started_answer)
{
    struct answer a;
    answer_start(&a, false);
    answer_feed(&a, (struct span){.p = "", .n = 0});
    cr_expect_not(a.started);
    answer_end(&a);
    cr_expect_eq(a.state, ANSWER_CUT);
}

Test(load_answer, can_be_started_again)
{
    struct answer a;
    answer_start(&a, false);
    answer_feed(&a, SPAN(OK "Connection: close\r\nContent-Length: 3\r\n\r\nabc"));
    cr_expect_eq(a.state, ANSWER_WHOLE);
    answer_start(&a, false);
    cr_expect_eq(a.state, ANSWER_MORE);
    answer_feed(&a, SPAN("HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx"));
    cr_expect_eq(a.state, ANSWER_WHOLE);
    cr_expect_eq(a.status, 404);
    cr_expect_eq(a.body, 1);
    cr_expect_not(a.close);
}

/* However the bytes are split, and whatever frames them. */
Test(load_answer, a_checksum_of_the_body_alone)
{
    static const char *const texts[] = {
        OK "Content-Length: 15\r\n\r\nhello0123456789",
        OK "\r\nhello0123456789",
        OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x\r\n0123456789\r\n0\r\nA: b\r\n\r\n",
        "HTTP/1.1 103 Hints\r\n\r\n" OK "Content-Length: 15\r\n\r\nhello0123456789",
    };
    uint32_t right = checksum_add(0, SPAN("hello0123456789"));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t piece = 1; piece < 100; piece++) {
            struct answer a;
            answer_start(&a, true);
            feed_pieces(&a, texts[i], strlen(texts[i]), piece);
            answer_end(&a);
            cr_assert_eq(a.state, ANSWER_WHOLE);
            cr_assert_eq(a.checksum, right, "text %zu in pieces of %zu", i, piece);
        }
}

Test(load_answer, no_checksum_unless_asked_for)
{
    struct answer a;
    answer_start(&a, true);
    answer_feed(&a, SPAN(OK "Content-Length: 3\r\n\r\nabc"));
    answer_start(&a, false);
    answer_feed(&a, SPAN(OK "Content-Length: 3\r\n\r\nabc"));
    cr_expect_eq(a.state, ANSWER_WHOLE);
    cr_expect_eq(a.checksum, 0);
}
