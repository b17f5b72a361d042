#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "http/chunk.h"

/* What came of a body: its data, the outcome, and how many bytes were left for the next request. */
struct result {
    struct buf data;
    int outcome;
    size_t rest;
};

/* Reads one piece as it came from a socket; it stands alone on the heap for the sanitizer. */
static void read_piece(struct http_chunked *c, const char *bytes, size_t n, struct result *r)
{
    char *copy = malloc(n ? n : 1);
    cr_assert_not_null(copy);
    memcpy(copy, bytes, n);
    struct span input = {.p = copy, .n = n};
    struct span data;
    do {
        size_t before = input.n;
        r->outcome = http_chunked_read(c, &input, &data);
        buf_span(&r->data, data);
        cr_assert(r->outcome != 0 || n == 0 || input.n < before, "every call gets on");
    } while (r->outcome == 0 && input.n > 0);
    r->rest = input.n;
    free(copy);
}

/* Feeds the bytes in pieces: up to `cut`, then `step` bytes each. */
static struct result feed(struct span bytes, size_t cut, size_t step)
{
    struct http_chunked c = {0};
    struct result r = {0};
    read_piece(&c, bytes.p, cut, &r);
    while (r.outcome == 0 && cut < bytes.n) {
        size_t n = bytes.n - cut < step ? bytes.n - cut : step;
        read_piece(&c, bytes.p + cut, n, &r);
        cut += n;
    }
    r.rest += bytes.n - cut;
    return r;
}

static void check(const char *name, struct span bytes, size_t cut, size_t step, int outcome,
                  struct span data, size_t rest)
{
    struct result r = feed(bytes, cut, step);
    cr_assert_eq(r.outcome, outcome, "%s, cut at %zu, step %zu: %d", name, cut, step, r.outcome);
    cr_assert(span_eq((struct span){r.data.p, r.data.len}, data), "%s, cut at %zu, step %zu: %.*s",
              name, cut, step, (int)r.data.len, r.data.p);
    if (outcome == 1)
        cr_assert_eq(r.rest, rest, "%s, cut at %zu, step %zu: rest %zu", name, cut, step, r.rest);
    buf_free(&r.data);
}

/* Whole, cut at every position, byte by byte, and by two and three. */
static void check_splits(const char *name, struct span bytes, int outcome, struct span data,
                         size_t rest)
{
    for (size_t cut = 0; cut <= bytes.n; cut++)
        check(name, bytes, cut, bytes.n, outcome, data, rest);
    for (size_t step = 1; step <= 3; step++)
        check(name, bytes, 0, step, outcome, data, rest);
}

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }
#define END "0\r\n\r\n"

static const struct {
    const char *name;
    struct span bytes;
    int outcome;
    const char *data;
    size_t rest;
} rows[] = {
    {"empty body", BYTES(END), 1, "", 0},
    {"one chunk", BYTES("3\r\nabc\r\n" END), 1, "abc", 0},
    {"two chunks", BYTES("3\r\nabc\r\n2\r\nde\r\n" END), 1, "abcde", 0},
    {"next request behind", BYTES("3\r\nabc\r\n" END "GET / "), 1, "abc", 6},
    {"hex in both cases", BYTES("a\r\n0123456789\r\nA\r\n0123456789\r\n" END), 1,
     "01234567890123456789", 0},
    {"size of two digits", BYTES("10\r\n0123456789abcdef\r\n" END), 1, "0123456789abcdef", 0},
    {"sixteen digits", BYTES("0000000000000001\r\na\r\n0000000000000000\r\n\r\n"), 1, "a", 0},
    {"CRLF as data", BYTES("4\r\n\r\n\r\n\r\n" END), 1, "\r\n\r\n", 0},
    {"last chunk as data", BYTES("5\r\n0\r\n\r\n\r\n" END), 1, "0\r\n\r\n", 0},

    {"extension", BYTES("1;a\r\nx\r\n0;b\r\n\r\n"), 1, "x", 0},
    {"extension with a value", BYTES("1;a=b\r\nx\r\n" END), 1, "x", 0},
    {"extension with a quoted value", BYTES("1;a=\"b;\\\"\\\\ \t\xff\"\r\nx\r\n" END), 1, "x", 0},
    {"quoted value empty", BYTES("1;a=\"\"\r\nx\r\n" END), 1, "x", 0},
    {"several extensions", BYTES("1;a;b=c;d=\"e\";f\r\nx\r\n" END), 1, "x", 0},
    {"extension of hex letters", BYTES("1;abc=def;1\r\nx\r\n" END), 1, "x", 0},
    {"blanks that are allowed", BYTES("1 ; a = b\t;\tc ;d=\"e\" ;f\r\nx\r\n" END), 1, "x", 0},

    {"trailer", BYTES("1\r\nx\r\n0\r\na: b\r\n\r\n"), 1, "x", 0},
    {"trailers", BYTES("0\r\na: b\r\nc:\r\nd:\t\"\\ \xff:;=\r\n\r\nrest"), 1, "", 4},

    {"nothing yet", BYTES(""), 0, "", 0},
    {"size cut", BYTES("3"), 0, "", 0},
    {"data cut", BYTES("3\r\nab"), 0, "ab", 0},
    {"behind the data", BYTES("3\r\nabc"), 0, "abc", 0},
    {"behind the chunk", BYTES("3\r\nabc\r\n"), 0, "abc", 0},
    {"end cut", BYTES("0\r\n\r"), 0, "", 0},
    {"largest chunk begins", BYTES("ffffffffffffffff\r\nab"), 0, "ab", 0},

    {"no size", BYTES("\r\n"), -1, "", 0},
    {"blank before the size", BYTES(" 1\r\n"), -1, "", 0},
    {"sign", BYTES("+1\r\n"), -1, "", 0},
    {"minus", BYTES("-1\r\n"), -1, "", 0},
    {"0x", BYTES("0x1\r\n"), -1, "", 0},
    {"no hex", BYTES("g\r\n"), -1, "", 0},
    {"below 0", BYTES("/\r\n"), -1, "", 0},
    {"above 9", BYTES(":\r\n"), -1, "", 0},
    {"seventeen digits", BYTES("00000000000000001\r\nx"), -1, "", 0},
    {"size overflows", BYTES("10000000000000000\r\nx"), -1, "", 0},
    {"LF behind the size", BYTES("1\nx\r\n"), -1, "", 0},
    {"CR alone behind the size", BYTES("1\rx\r\n"), -1, "", 0},
    {"CR CR LF behind the size", BYTES("1\r\r\nx"), -1, "", 0},
    {"blank behind the size", BYTES("1 \r\nx\r\n"), -1, "", 0},
    {"two sizes", BYTES("1 1\r\nx\r\n"), -1, "", 0},
    {"NUL behind the size", BYTES("1\0\r\nx\r\n"), -1, "", 0},
    {"data too long", BYTES("1\r\nxy\r\n"), -1, "x", 0},
    {"data too short", BYTES("3\r\nx\r\n0\r\n\r\n"), -1, "x\r\n", 0},
    {"LF behind the data", BYTES("1\r\nx\n0\r\n\r\n"), -1, "x", 0},
    {"CR CR LF behind the data", BYTES("1\r\nx\r\r\n" END), -1, "x", 0},
    {"CR alone behind the data", BYTES("1\r\nx\r0\r\n\r\n"), -1, "x", 0},
    {"empty line between chunks", BYTES("1\r\nx\r\n\r\n" END), -1, "x", 0},

    {"extension without a name", BYTES("1;\r\n"), -1, "", 0},
    {"extension without a name, then one", BYTES("1;;a\r\n"), -1, "", 0},
    {"extension with = alone", BYTES("1;=b\r\n"), -1, "", 0},
    {"extension without its value", BYTES("1;a=\r\n"), -1, "", 0},
    {"two values", BYTES("1;a=b=c\r\n"), -1, "", 0},
    {"two words", BYTES("1;a b\r\n"), -1, "", 0},
    {"two words as value", BYTES("1;a=b c\r\n"), -1, "", 0},
    {"blank behind a name", BYTES("1;a \r\n"), -1, "", 0},
    {"blank behind a value", BYTES("1;a=b \r\n"), -1, "", 0},
    {"LF in an extension", BYTES("1;a\nx\r\n"), -1, "", 0},
    {"high byte in an extension", BYTES("1;\xe9\r\n"), -1, "", 0},
    {"slash in an extension", BYTES("1;a/b\r\n"), -1, "", 0},
    {"open quote", BYTES("1;a=\"b\r\n"), -1, "", 0},
    {"LF in quotes", BYTES("1;a=\"b\n"), -1, "", 0},
    {"control byte in quotes", BYTES("1;a=\"\x01"), -1, "", 0},
    {"DEL in quotes", BYTES("1;a=\"\x7f"), -1, "", 0},
    {"escaped control byte", BYTES("1;a=\"\\\x01"), -1, "", 0},
    {"escaped CR", BYTES("1;a=\"\\\r\n"), -1, "", 0},
    {"bytes behind the quotes", BYTES("1;a=\"b\"c\r\n"), -1, "", 0},

    {"LF for the end", BYTES("0\r\n\n"), -1, "", 0},
    {"CR alone for the end", BYTES("0\r\n\rG"), -1, "", 0},
    {"no trailer but a request", BYTES("0\r\nGET / HTTP/1.1\r\n"), -1, "", 0},
    {"trailer without a name", BYTES("0\r\n: b\r\n\r\n"), -1, "", 0},
    {"trailer without a colon", BYTES("0\r\na\r\n\r\n"), -1, "", 0},
    {"blank before the colon", BYTES("0\r\na : b\r\n\r\n"), -1, "", 0},
    {"folded trailer", BYTES("0\r\na: b\r\n c\r\n\r\n"), -1, "", 0},
    {"LF behind a trailer", BYTES("0\r\na: b\n\r\n"), -1, "", 0},
    {"CR alone behind a trailer", BYTES("0\r\na: b\rc\r\n\r\n"), -1, "", 0},
    {"NUL in a trailer", BYTES("0\r\na: b\0\r\n\r\n"), -1, "", 0},
};

Test(chunk, table)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_splits(rows[i].name, rows[i].bytes, rows[i].outcome, span_of(rows[i].data),
                     rows[i].rest);
}

static void fill(struct buf *b, char byte, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add(b, &byte, 1);
}

/* A last chunk whose line has so many bytes, CRLF not counted. */
static int long_line(size_t length, size_t step)
{
    struct buf b = {0};
    buf_lit(&b, "1\r\nx\r\n0;");
    fill(&b, 'a', length - 2);
    buf_lit(&b, "\r\n\r\n");
    struct result r = feed((struct span){b.p, b.len}, 0, step);
    buf_free(&r.data);
    buf_free(&b);
    return r.outcome;
}

/* Trailers of so many bytes, their CRLFs counted, the last line's not. */
static int long_trailers(size_t length, size_t step)
{
    struct buf b = {0};
    buf_lit(&b, "0\r\na: b\r\nc: ");
    fill(&b, 'd', length - sizeof "a: b\r\nc: \r\n" + 1);
    buf_lit(&b, "\r\n\r\n");
    struct result r = feed((struct span){b.p, b.len}, 0, step);
    buf_free(&r.data);
    buf_free(&b);
    return r.outcome;
}

Test(chunk, limits)
{
    for (size_t step = 1; step < 20000; step = step * 7 + 1) {
        cr_expect_eq(long_line(HTTP_CHUNK_LINE_MAX, step), 1, "step %zu", step);
        cr_expect_eq(long_line(HTTP_CHUNK_LINE_MAX + 1, step), -1, "step %zu", step);
        cr_expect_eq(long_trailers(HTTP_TRAILERS_MAX, step), 1, "step %zu", step);
        cr_expect_eq(long_trailers(HTTP_TRAILERS_MAX + 1, step), -1, "step %zu", step);
    }
}

/* The bound is for one line: a long body may have many. */
Test(chunk, many_chunks)
{
    struct buf b = {0};
    for (int i = 0; i < 1000; i++)
        buf_lit(&b, "1;a=b\r\nx\r\n");
    buf_lit(&b, END);
    struct result r = feed((struct span){b.p, b.len}, 0, 64);
    cr_expect_eq(r.outcome, 1);
    cr_expect_eq(r.data.len, 1000);
    buf_free(&r.data);
    buf_free(&b);
}

Test(chunk, an_outcome_stays)
{
    struct http_chunked c = {0};
    struct span data;
    struct span input = SPAN("x");
    cr_expect_eq(http_chunked_read(&c, &input, &data), -1);
    input = SPAN(END);
    cr_expect_eq(http_chunked_read(&c, &input, &data), -1, "no way back from an error");
    c = (struct http_chunked){0};
    cr_expect_eq(http_chunked_read(&c, &input, &data), 1);
    input = SPAN("GET");
    cr_expect_eq(http_chunked_read(&c, &input, &data), 1);
    cr_expect_eq(input.n, 3, "the next request is left alone");
}

Test(chunk, data_is_borrowed)
{
    struct http_chunked c = {0};
    struct span input = SPAN("3\r\nabc\r\n");
    const char *bytes = input.p;
    struct span data;
    cr_expect_eq(http_chunked_read(&c, &input, &data), 0);
    cr_expect_eq(data.p, bytes + 3);
    cr_expect_eq(data.n, 3);
}
