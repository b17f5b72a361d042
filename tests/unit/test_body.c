#include "worker/body.h"

#include "base/buf.h"
#include "base/limits.h"
#include "support.h"

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct {
    const char *name;
    bool chunked;
    uint64_t length;
    struct span input;
    enum body_next outcome;
    size_t rest; /* bytes that are left for the next request, when the body is whole */
} rows[] = {
    {"none", false, 0, BYTES(""), BODY_WHOLE, 0},
    {"none, and a request", false, 0, BYTES("GET /"), BODY_WHOLE, 5},
    {"whole", false, 3, BYTES("abc"), BODY_WHOLE, 0},
    {"whole, and a request", false, 3, BYTES("abcGET /"), BODY_WHOLE, 5},
    {"short", false, 3, BYTES("ab"), BODY_MORE, 0},
    {"nothing yet", false, 3, BYTES(""), BODY_MORE, 0},
    {"as long as can be said", false, UINT64_MAX, BYTES("abc"), BODY_MORE, 0},

    {"chunked: nothing yet", true, 0, BYTES(""), BODY_MORE, 0},
    {"chunked: whole", true, 0, BYTES("3\r\nabc\r\n0\r\n\r\n"), BODY_WHOLE, 0},
    {"chunked: whole, and a request", true, 0, BYTES("3\r\nabc\r\n0\r\n\r\nGET /"), BODY_WHOLE, 5},
    {"chunked: empty, and a request", true, 0, BYTES("0\r\n\r\nGET /"), BODY_WHOLE, 5},
    {"chunked: with trailers", true, 0, BYTES("1\r\na\r\n0\r\na: b\r\n\r\nG"), BODY_WHOLE, 1},
    {"chunked: short", true, 0, BYTES("3\r\nab"), BODY_MORE, 0},
    {"chunked: the end is missing", true, 0, BYTES("3\r\nabc\r\n0\r\n"), BODY_MORE, 0},
    {"chunked: no size", true, 0, BYTES("x\r\n"), BODY_REFUSED, 0},
    {"chunked: wrong behind a chunk", true, 0, BYTES("1\r\nabc"), BODY_REFUSED, 0},
};

/* All that can be taken off this input; the pieces are appended to *data. */
static enum body_next take_all(struct body *body, struct span *input, struct buf *data)
{
    struct span piece;
    enum body_next next;
    while ((next = body_next(body, input, &piece)) == BODY_PIECE) {
        cr_assert_gt(piece.n, 0, "a piece is not empty");
        buf_span(data, piece);
    }
    return next;
}

/* Feeds the bytes in pieces of `step`; each stands alone on the heap for the sanitizer. */
static enum body_next feed(struct body *body, struct span bytes, size_t step, struct buf *data,
                           size_t *rest)
{
    enum body_next outcome = BODY_MORE;
    size_t at = 0;
    do {
        size_t n = bytes.n - at < step ? bytes.n - at : step;
        char *copy = malloc(n ? n : 1);
        cr_assert_not_null(copy);
        if (n > 0)
            memcpy(copy, bytes.p + at, n);
        struct span input = {.p = copy, .n = n};
        outcome = take_all(body, &input, data);
        if (outcome == BODY_MORE)
            cr_assert_eq(input.n, 0, "all is taken while more must come");
        at += n;
        *rest = input.n + bytes.n - at;
        free(copy);
    } while (outcome == BODY_MORE && at < bytes.n);
    return outcome;
}

Test(body, whole_and_in_pieces)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct buf whole = {0};
        for (size_t step = rows[i].input.n + 1; step > 0; step--) {
            struct http_request request = {.chunked = rows[i].chunked,
                                           .content_length = rows[i].length};
            struct body body = body_of(&request);
            struct buf data = {0};
            size_t rest = 0;
            enum body_next outcome = feed(&body, rows[i].input, step, &data, &rest);
            cr_expect_eq(outcome, rows[i].outcome, "%s, by %zu: %d", rows[i].name, step, outcome);
            if (outcome == BODY_WHOLE)
                cr_expect_eq(rest, rows[i].rest, "%s, by %zu: %zu", rows[i].name, step, rest);
            if (step > rows[i].input.n)
                buf_add(&whole, data.p, data.len);
            cr_expect(span_eq((struct span){.p = data.p, .n = data.len},
                              (struct span){.p = whole.p, .n = whole.len}),
                      "%s, by %zu: other bytes", rows[i].name, step);
            buf_free(&data);
        }
        buf_free(&whole);
    }
}

Test(body, gives_what_was_sent)
{
    struct http_request request = {.chunked = true};
    struct body body = body_of(&request);
    struct buf data = {0};
    struct span input = SPAN("3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\nGET");
    cr_expect_eq(take_all(&body, &input, &data), BODY_WHOLE);
    cr_expect(span_eq((struct span){.p = data.p, .n = data.len}, SPAN("abcd")));
    cr_expect(span_eq(input, SPAN("GET")));
    buf_free(&data);
}

/* ------------------------------------------------------------------- what nobody wants of it */

Test(body, as_much_of_known_length_is_dropped_as_allowed)
{
    static const struct {
        uint64_t length;
        bool is_fine;
    } lengths[] = {
        {0, true},
        {BODY_DISCARD_MAX, true},
        {BODY_DISCARD_MAX + 1, false},
        {UINT64_MAX, false},
        {UINT64_MAX - BODY_DISCARD_MAX, false},
    };
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        struct http_request request = {.content_length = lengths[i].length};
        struct body body = body_of(&request);
        cr_expect_eq(body_drop(&body, 0), lengths[i].is_fine, "%llu",
                     (unsigned long long)lengths[i].length);
    }
}

/* What has come and what is still to come count together, once. */
Test(body, dropped_bytes_count_once)
{
    static char bytes[READ_BUFFER_SIZE];
    struct http_request request = {.content_length = BODY_DISCARD_MAX};
    struct body body = body_of(&request);
    struct span piece;
    while (body.left > 0) {
        struct span input = {.p = bytes, .n = sizeof bytes};
        cr_assert_eq(body_next(&body, &input, &piece), BODY_PIECE);
        cr_assert(body_drop(&body, piece.n));
    }
    cr_expect_not(body_drop(&body, 1));
}

Test(body, dropped_chunks_add_up)
{
    struct http_request request = {.chunked = true};
    struct body body = body_of(&request);
    cr_expect(body_drop(&body, BODY_DISCARD_MAX - 1));
    cr_expect(body_drop(&body, 1));
    cr_expect_not(body_drop(&body, 1));
    cr_expect_not(body_drop(&body, 0), "it stays too much");
}
